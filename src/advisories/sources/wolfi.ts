import type { Advisory, AffectedPackage, DistributionWord, RangeEvent } from '../../model/advisory.ts'
import type { Fact, Form, ReadContext } from '../form.ts'
import { clearedPackage, notAffected } from './cleared.ts'
import { dateOf, FieldError, hintText, isObject, type JsonObject, limits, listAt, objectAt, own, textOf, textsAt } from '../fields.ts'

/**
 * Wolfi's own advisories (wolfi-dev/advisories, schema 2.0): per package and flaw a history of events. The last
 * determination stands: `fixed` names the version, `false-positive-determination` clears the package, and
 * `pending-upstream-fix`, `fix-not-planned` and `true-positive-determination` leave it affected without a fix.
 * A `detection` is a scanner's guess that nobody has looked at: it determines nothing.
 */
export const wolfi = {
  name: 'wolfi',
  recognises: (first) => isObject(first) && 'schema-version' in first && 'package' in first && 'advisories' in first,
  async *read(values: AsyncIterable<unknown>, context: ReadContext): AsyncGenerator<Fact> {
    for await (const value of values) yield* documentFacts(value, context)
  },
} satisfies Form

function* documentFacts(value: unknown, context: ReadContext): Generator<Fact> {
  try {
    const document = objectAt(value, 'document')
    const name = textOf(own(objectAt(own(document, 'package'), 'package'), 'name'), 'package.name')
    for (const entry of listAt(document, 'advisories', limits.affected, '')) yield* entryFacts(name, entry, context)
  } catch (error) {
    if (!(error instanceof FieldError)) throw error
    context.drop('not the form of a Wolfi document', error.message)
  }
}

function* entryFacts(name: string, value: unknown, context: ReadContext): Generator<Fact> {
  try {
    const entry = objectAt(value, 'advisory')
    const id = textOf(own(entry, 'id'), 'id')
    const events = listAt(entry, 'events', limits.events, '').map((event) => objectAt(event, 'event'))
    const range = rangeOf(events)
    if (typeof range === 'string' && range !== notAffected) return void context.drop(range, `${name} ${id}`)
    const affected = typeof range === 'string' ? clearedPackage('Wolfi', name) : affectedPackage(name, range, events)
    yield { kind: 'advisory', advisory: advisoryOf(id, affected, entry, events, context), merge: 'record' }
  } catch (error) {
    if (!(error instanceof FieldError)) throw error
    context.drop('not the form of a Wolfi advisory', `${name}: ${error.message}`)
  }
}

const determinations: ReadonlySet<unknown> = new Set([
  'fixed',
  'false-positive-determination',
  'true-positive-determination',
  'pending-upstream-fix',
  'fix-not-planned',
  'analysis-not-planned',
])

function affectedPackage(name: string, range: RangeEvent[], events: readonly JsonObject[]): AffectedPackage {
  const type = own(lastDetermination(events) ?? {}, 'type')
  const word = typeof type === 'string' ? words.get(type) : undefined
  return { ecosystem: 'Wolfi', name, ranges: [{ type: 'ECOSYSTEM', events: range }], versions: [], ...(word === undefined ? {} : { word }) }
}

const words: ReadonlyMap<string, DistributionWord> = new Map([
  ['fix-not-planned', 'will-not-fix'],
  ['analysis-not-planned', 'will-not-fix'],
  ['pending-upstream-fix', 'fix-pending'],
])

function lastDetermination(events: readonly JsonObject[]): JsonObject | undefined {
  return byTime(events).findLast((event) => determinations.has(own(event, 'type')))
}

/** Out: the affected range, or in words why there is none. */
function rangeOf(events: readonly JsonObject[]): RangeEvent[] | string {
  const last = lastDetermination(events)
  if (last === undefined) return 'not determined yet'
  const type = own(last, 'type')
  if (type === 'false-positive-determination') return notAffected
  if (type !== 'fixed') return [{ introduced: '0' }]
  const fixed = textOf(own(objectAt(own(last, 'data'), 'fixed.data'), 'fixed-version'), 'fixed-version')
  return fixed === '0' ? notAffected : [{ introduced: '0' }, { fixed }]
}

function byTime(events: readonly JsonObject[]): JsonObject[] {
  const time = (event: JsonObject): number => Date.parse(hintText(own(event, 'timestamp'))) || 0
  return events.toSorted((a, b) => time(a) - time(b))
}

function advisoryOf(
  id: string,
  affected: AffectedPackage,
  entry: JsonObject,
  events: readonly JsonObject[],
  context: ReadContext,
): Advisory {
  const times = byTime(events).flatMap((event) => dateOf(own(event, 'timestamp'), context.now) ?? [])
  const published = times[0]
  return {
    id,
    aliases: [],
    upstream: textsAt(entry, 'aliases', limits.ids, ''),
    ...(published === undefined ? {} : { published }),
    modified: times.at(-1) ?? context.asOf,
    severity: [],
    affected: [affected],
    malicious: false,
    source: 'wolfi',
  }
}
