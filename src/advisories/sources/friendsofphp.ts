import type { Advisory, AffectedRange } from '../../model/advisory.ts'
import { dateOf, FieldError, hintText, isObject, type JsonObject, limits, objectAt, own, textOf, textsAt } from '../fields.ts'
import type { Form, ReadContext } from '../form.ts'
import { type Bound, boundOf, eventsOf } from './bounds.ts'
import { factsOfRecords } from './records.ts'

/**
 * The PHP security advisories database (FriendsOfPHP/security-advisories), one file a record, with its place in `_file`:
 *
 *   {"_file": "twig/twig/CVE-2022-39261.yaml", "cve": "CVE-2022-39261", "reference": "composer://twig/twig",
 *    "branches": {"1.x": {"time": "2022-09-28 12:00:00", "versions": [">=1.0.0", "<1.44.7"]}}}
 */
export const friendsofphp = {
  name: 'friendsofphp',
  recognises: (first) => isObject(first) && 'branches' in first && String(hintText(own(first, 'reference'))).startsWith('composer://'),
  read: (values: AsyncIterable<unknown>, context: ReadContext) =>
    factsOfRecords(values, context, '_file', (record) => ({ kind: 'advisory', advisory: advisoryOf(record, context), merge: 'record' })),
} satisfies Form

const nameForm = /^composer:\/\/([a-z0-9](?:[a-z0-9_.-]{0,99})\/[a-z0-9](?:[a-z0-9_.-]{0,99}))$/i

function advisoryOf(record: JsonObject, context: ReadContext): Advisory {
  const file = textOf(own(record, '_file'), '_file')
  if (!/^[\w./-]{1,200}\.yaml$/.test(file)) throw new FieldError('_file', 'not a file of the database')
  const name = nameForm.exec(textOf(own(record, 'reference'), 'reference'))?.[1]?.toLowerCase()
  if (name === undefined) throw new FieldError('reference', 'not a Composer package')
  const cve = own(record, 'cve')
  const branches = Object.values(objectAt(own(record, 'branches'), 'branches')).slice(0, limits.ranges)
  if (branches.length === 0) throw new FieldError('branches', 'empty')
  const published = publishedOf(branches, context.now)
  return {
    id: `FOP-${file.slice(0, -'.yaml'.length)}`,
    aliases: typeof cve === 'string' && /^CVE-\d{4}-\d{4,12}$/.test(cve) ? [cve] : [],
    upstream: [],
    ...(published === undefined ? {} : { published }),
    modified: context.asOf,
    severity: [],
    affected: [{ ecosystem: ecosystemOf(record), name, ranges: branches.map(rangeOf), versions: [] }],
    malicious: false,
    source: 'friendsofphp',
  }
}

/** A package of another repository than packagist.org has that behind its ecosystem, as OSV writes it. */
function ecosystemOf(record: JsonObject): string {
  const repository = own(record, 'composer-repository')
  return typeof repository === 'string' && /^https:\/\/[\w./-]{1,100}$/.test(repository) ? `Packagist:${repository}` : 'Packagist'
}

function rangeOf(branch: unknown): AffectedRange {
  const versions = textsAt(objectAt(branch, 'branches[]'), 'versions', limits.events, 'branches[]')
  if (versions.length === 0) throw new FieldError('branches[].versions', 'empty')
  const bounds = versions.map((text) => whole(boundOf(text, 'branches[].versions')))
  return { type: 'ECOSYSTEM', events: eventsOf(bounds, (version) => `${version}.0`) }
}

/** Composer reads `4.1` as `4.1.0.0`, so that an upper bound takes in `4.1.0`. */
function whole(bound: Bound): Bound {
  if (bound.operator !== '<=' && bound.operator !== '>') return bound
  const missing = 4 - (/^\d+(?:\.\d+)*$/.exec(bound.version)?.[0].split('.').length ?? 4)
  return { ...bound, version: bound.version + '.0'.repeat(Math.max(missing, 0)) }
}

function publishedOf(branches: readonly unknown[], now: Date): string | undefined {
  const times = branches.map((branch) => (isObject(branch) ? own(branch, 'time') : undefined))
  return times.flatMap((time) => (typeof time === 'string' ? (dateOf(time.slice(0, 10), now) ?? []) : [])).sort()[0]
}
