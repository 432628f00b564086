import type { Advisory, RangeEvent, SeverityClaim } from '../../model/advisory.ts'
import { compareGem } from '../../versions/gem.ts'
import { dateOf, FieldError, hintText, isObject, type JsonObject, limits, own, textOf, textsAt } from '../fields.ts'
import type { Form, ReadContext } from '../form.ts'
import { labelClaim } from '../severity.ts'
import { boundOf } from './bounds.ts'
import { factsOfRecords } from './records.ts'

/**
 * The Ruby advisory database (rubysec/ruby-advisory-db), one file a record, with its place in `_file`:
 *
 *   {"_file": "gems/rack/CVE-2022-44570.yml", "gem": "rack", "cve": "2022-44570", "ghsa": "65f5-mfpf-vfhj",
 *    "unaffected_versions": ["< 1.5.0"], "patched_versions": ["~> 2.0.9, >= 2.0.9.2", ">= 3.0.4.1"]}
 *
 * It names the versions without the flaw: all between those have it.
 */
export const ruby = {
  name: 'ruby',
  recognises: (first) => isObject(first) && /^(?:gems|rubies)\//.test(hintText(own(first, '_file'))) && 'url' in first,
  read: (values: AsyncIterable<unknown>, context: ReadContext) =>
    factsOfRecords(values, context, '_file', (record) => {
      if (Object.hasOwn(record, 'gem')) return { kind: 'advisory', advisory: advisoryOf(record, context), merge: 'record' }
      context.drop('about Ruby itself, not a gem', hintText(own(record, '_file')))
      return undefined
    }),
} satisfies Form

function advisoryOf(record: JsonObject, context: ReadContext): Advisory {
  const file = textOf(own(record, '_file'), '_file')
  if (!/^gems\/[\w./-]{1,200}\.yml$/.test(file)) throw new FieldError('_file', 'not a file of the database')
  const published = dateOf(own(record, 'date'), context.now)
  const cleared = ['unaffected_versions', 'patched_versions'].flatMap((key) => textsAt(record, key, limits.ranges, ''))
  return {
    id: `RUBYSEC-${file.slice('gems/'.length, -'.yml'.length)}`,
    aliases: aliasesOf(record),
    upstream: [],
    ...(published === undefined ? {} : { published }),
    modified: context.asOf,
    severity: severityOf(record),
    affected: [
      {
        ecosystem: 'RubyGems',
        name: textOf(own(record, 'gem'), 'gem'),
        ranges: [{ type: 'ECOSYSTEM', events: betweenCleared(cleared) }],
        versions: [],
      },
    ],
    malicious: false,
    source: 'ruby',
  }
}

function aliasesOf(record: JsonObject): string[] {
  const cve = hintText(own(record, 'cve'))
  const ghsa = hintText(own(record, 'ghsa'))
  return [
    ...(/^\d{4}-\d{4,12}$/.test(cve) ? [`CVE-${cve}`] : []),
    ...(/^[0-9a-z]{4}(?:-[0-9a-z]{4}){2}$/.test(ghsa) ? [`GHSA-${ghsa}`] : []),
  ]
}

/** It gives scores without their vectors; the word that CVSS has for a score is what can be kept of them. */
function severityOf(record: JsonObject): SeverityClaim[] {
  const score = own(record, 'cvss_v4') ?? own(record, 'cvss_v3') ?? own(record, 'cvss_v2')
  if (typeof score !== 'number' || !(score > 0 && score <= 10)) return []
  // CVSS 2 knows no critical.
  const most = own(record, 'cvss_v4') === undefined && own(record, 'cvss_v3') === undefined ? 'high' : 'critical'
  const label = labelClaim(score >= 9 ? most : score >= 7 ? 'high' : score >= 4 ? 'medium' : 'low')
  return label === undefined ? [] : [label]
}

/** A place in the order: just before a version, or just behind it; undefined is before all, or behind all. */
interface Cut {
  version: string
  behind: boolean
}
interface Span {
  from: Cut | undefined
  to: Cut | undefined
}

/** In: requirements without the flaw. Out: what lies between them, as events. Throws a FieldError for what is no requirement. */
export function betweenCleared(requirements: readonly string[]): RangeEvent[] {
  const spans = requirements
    .map(spanOf)
    .filter(isSome)
    .sort((a, b) => compareCuts(a.from, b.from, -1))
  const events: RangeEvent[] = []
  let at: Cut | undefined
  let isStart = true
  for (const { from, to } of spans) {
    if (from !== undefined && (isStart || compareCuts(at, from, 1) < 0)) events.push(opening(isStart ? undefined : at), closing(from))
    if (to === undefined) return orNever(events)
    if (isStart || compareCuts(at, to, 1) < 0) at = to
    isStart = false
  }
  return [...events, opening(at)]
}

/** Every version is cleared: an end before the start says so in OSV's words. */
function orNever(events: RangeEvent[]): RangeEvent[] {
  return events.length === 0 ? [{ introduced: '0' }, { fixed: '0' }] : events
}

/** Behind a version, the next that a gem could have is taken to be the one with `.0.1`. */
function opening(cut: Cut | undefined): RangeEvent {
  return { introduced: cut === undefined ? '0' : cut.behind ? `${cut.version}.0.1` : cut.version }
}

function closing({ version, behind }: Cut): RangeEvent {
  return behind ? { lastAffected: version } : { fixed: version }
}

/** `~> 2.0.9, >= 2.0.9.2`: all parts hold. */
function spanOf(requirement: string): Span {
  return requirement
    .split(',')
    .map(partSpan)
    .reduce((all, part) => ({
      from: compareCuts(all.from, part.from, -1) < 0 ? part.from : all.from,
      to: compareCuts(all.to, part.to, 1) > 0 ? part.to : all.to,
    }))
}

function isSome({ from, to }: Span): boolean {
  return from === undefined || to === undefined || compareCuts(from, to, 1) < 0
}

function partSpan(part: string): Span {
  const text = part.trim()
  const pessimistic = /^~>\s*(\d[0-9A-Za-z.-]{0,99})$/.exec(text)?.[1]
  if (pessimistic !== undefined) return { from: cutAt(pessimistic, false), to: cutAt(bumped(pessimistic), false) }
  const { operator, version } = boundOf(text, 'versions')
  if (operator === '=') return { from: cutAt(version, false), to: cutAt(version, true) }
  return operator.startsWith('>')
    ? { from: cutAt(version, operator === '>'), to: undefined }
    : { from: undefined, to: cutAt(version, operator === '<=') }
}

function cutAt(version: string, behind: boolean): Cut {
  if (compareGem(version, version) === 'unknown') throw new FieldError('versions', 'not a version of a gem')
  return { version, behind }
}

/** Gem::Version#bump: without letters and the last number, the one before that raised; `.A` is before its pre-releases. */
function bumped(version: string): string {
  const numbers = /^\d+(?:\.\d+)*/.exec(version)?.[0].split('.') ?? []
  const kept = numbers.length > 1 ? numbers.slice(0, -1) : numbers
  return `${[...kept.slice(0, -1), String(BigInt(kept.at(-1) ?? '0') + 1n)].join('.')}.A`
}

/** Undefined stands before all where `open` is -1, behind all where it is 1. */
function compareCuts(a: Cut | undefined, b: Cut | undefined, open: -1 | 1): number {
  if (a === undefined || b === undefined) return a === b ? 0 : a === undefined ? open : -open
  const order = compareGem(a.version, b.version)
  return (order === 'unknown' ? 0 : order) || Number(a.behind) - Number(b.behind)
}
