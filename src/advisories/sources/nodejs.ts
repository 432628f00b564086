import type { Advisory, AffectedRange } from '../../model/advisory.ts'
import { parseNpmRange } from '../../versions/npm-range.ts'
import { dateOf, FieldError, hintText, isObject, type JsonObject, limits, objectAt, own, textOf, textsAt } from '../fields.ts'
import type { Fact, Form, ReadContext } from '../form.ts'
import { severityClaims } from '../severity.ts'
import { eventsOf } from './bounds.ts'

/**
 * The npm part of the Node.js security working group's database (nodejs/security-wg, `vuln/npm`): ranges in npm's words,
 * `"vulnerable_versions": "<1.2.3 || >=2.0.0 <2.1.0"`. Ids are the group's own, `NSWG-ECO-7`.
 */
export const nodejs = {
  name: 'nodejs',
  recognises: (first) =>
    isObject(first) &&
    ('vulnerable_versions' in first || 'vulnerable' in first) &&
    ('cves' in first || 'cve' in first || 'patched' in first),
  async *read(values: AsyncIterable<unknown>, context: ReadContext): AsyncGenerator<Fact> {
    for await (const value of values) {
      try {
        const record = objectAt(value, 'record')
        if (!Object.hasOwn(record, 'module_name')) context.drop('about Node.js itself, not a package', hintText(own(record, '_file')))
        else yield { kind: 'advisory', advisory: advisoryOf(record, context), merge: 'record' }
      } catch (error) {
        if (!(error instanceof FieldError)) throw error
        context.drop(error.message, isObject(value) ? hintText(own(value, 'id')) : 'a record')
      }
    }
  },
} satisfies Form

function advisoryOf(record: JsonObject, context: ReadContext): Advisory {
  const number = own(record, 'id')
  if (typeof number !== 'number' || !Number.isSafeInteger(number)) throw new FieldError('id', 'not a number')
  const name = textOf(own(record, 'module_name'), 'module_name')
  const published = dateOf(own(record, 'publish_date'), context.now)
  const ranges = npmRanges(textOf(own(record, 'vulnerable_versions'), 'vulnerable_versions'), own(record, 'patched_versions'))
  return {
    id: `NSWG-ECO-${number}`,
    aliases: textsAt(record, 'cves', limits.ids, ''),
    upstream: [],
    ...(published === undefined ? {} : { published }),
    modified: dateOf(own(record, 'updated_at'), context.now) ?? context.asOf,
    severity: severityClaims({ severity: [{ type: 'CVSS_V3', score: own(record, 'cvss_vector') }] }, ''),
    affected: [{ ecosystem: 'npm', name, ranges, versions: [] }],
    malicious: false,
    source: 'nodejs',
  }
}

/**
 * In: an npm range, and the range of patched versions. Out: one OSV range per alternative. Where one `<=` bound stands
 * against one `>=` of the patched ones, the latter is the fix. Throws a FieldError for what is no range.
 */
export function npmRanges(vulnerable: string, patched: unknown): AffectedRange[] {
  const alternatives = parseNpmRange(vulnerable)?.map((bounds) => eventsOf(bounds, after))
  if (alternatives === undefined) throw new FieldError('vulnerable_versions', 'not a range')
  const fix = typeof patched === 'string' ? /^>=\s*v?(\d[0-9A-Za-z.+-]*)$/.exec(patched.trim())?.[1] : undefined
  const [only] = alternatives
  if (alternatives.length === 1 && fix !== undefined && only !== undefined) {
    const last = only.findIndex((event) => 'lastAffected' in event)
    if (last >= 0) only[last] = { fixed: fix }
  }
  return alternatives.map((events) => ({ type: 'SEMVER', events }))
}

/** The first version behind this one in SemVer's order: the next patch's lowest pre-release, or one more identifier. */
function after(version: string): string {
  const match = /^(\d+)\.(\d+)\.(\d+)$/.exec(version)
  return match === null ? `${version}.0` : `${match[1]}.${match[2]}.${Number(match[3]) + 1}-0`
}
