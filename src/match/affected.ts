// OSV schema, "affected[].ranges[].events" and "Evaluation"; what can't be compared is a third answer.
import type { AffectedPackage, AffectedRange, RangeEvent } from '../model/advisory.ts'
import type { Compare } from '../versions/order.ts'

/** `unknown`: the record may well mean this version, but they can't be compared. */
export type Affected = boolean | 'unknown'

/**
 * In: a version as installed, what one record says of its package, and the order of that ecosystem.
 * Out: whether the version is listed, or inside a range. It takes one pass over the events.
 */
export function isAffected(version: string, affected: AffectedPackage, order: Compare): Affected {
  const answers = function* (): Generator<Affected> {
    yield isListed(version, affected, order)
    for (const range of affected.ranges) yield isInRange(version, range, order)
  }
  return anyOf(answers())
}

/**
 * In: as `isAffected`. Out: the versions that end a range, above the installed one, the lowest first, without repeats.
 * One that can't be compared with it is left out: whether it is an upgrade is not known.
 */
export function fixesAbove(version: string, affected: readonly AffectedPackage[], order: Compare): string[] {
  const fixes = new Set<string>()
  for (const { ranges } of affected) {
    for (const { events } of ranges)
      for (const event of events) if ('fixed' in event && order(event.fixed, version) === 1) fixes.add(event.fixed)
  }
  return [...fixes].sort((a, b) => numberOf(order(a, b)) || (a < b ? -1 : 1))
}

/** True outweighs unknown, unknown outweighs false. */
export function anyOf(answers: Iterable<Affected>): Affected {
  let doubt = false
  for (const answer of answers) {
    if (answer === true) return true
    if (answer === 'unknown') doubt = true
  }
  return doubt ? 'unknown' : false
}

/**
 * Listed versions are texts; the order is asked only where there is no range that covers the same ground, since a list
 * may have thousands. A text that is no version can't be told to be another spelling of a listed one.
 */
function isListed(version: string, { versions, ranges }: AffectedPackage, order: Compare): Affected {
  if (versions.includes(version)) return true
  if (versions.length === 0 || ranges.length > 0) return false
  if (order(version, version) === 'unknown') return 'unknown'
  return versions.some((listed) => order(version, listed) === 0)
}

function isInRange(version: string, range: AffectedRange, order: Compare): Affected {
  const inside = isBetweenEvents(version, range.events, order)
  return inside === false ? false : allOf(inside, isBelowLimits(version, range.events, order))
}

function allOf(a: Affected, b: Affected): Affected {
  if (a === false || b === false) return false
  return a === true && b === true ? true : 'unknown'
}

/** Below any of the limits; without one, all versions are. */
function isBelowLimits(version: string, events: readonly RangeEvent[], order: Compare): Affected {
  const limits = events.flatMap((event) => ('limit' in event && event.limit !== '*' ? [event.limit] : []))
  if (limits.length === 0) return true
  return anyOf(limits.map((limit) => asAnswer(order(version, limit), (sign) => sign < 0)))
}

/**
 * The version is as the last event at or before it says: affected after `introduced`, not after `fixed` or
 * `lastAffected`. So the highest event that was passed decides, and sorting is not needed. An event that can't be
 * compared decides nothing, but makes the answer unknown where it could have turned it.
 */
function isBetweenEvents(version: string, events: readonly RangeEvent[], order: Compare): Affected {
  let highest: Turn | undefined
  let mayTurnOn = !events.some((event) => 'introduced' in event)
  let mayTurnOff = false
  for (const event of events) {
    const turn = turnOf(event)
    if (turn === undefined) continue
    const passed = isPassed(version, turn, order)
    const above = passed === true && highest !== undefined ? isAtOrAbove(turn, highest, order) : true
    if (passed === 'unknown' || (passed && above === 'unknown')) {
      if (turn.on) mayTurnOn = true
      else mayTurnOff = true
    } else if (passed && above) highest = turn
  }
  if (highest?.on === true) return mayTurnOff ? 'unknown' : true
  return mayTurnOn ? 'unknown' : false
}

/** Where the state turns. `start`: before every version; `after`: just above the version, not at it. */
interface Turn {
  at: string
  on: boolean
  start: boolean
  after: boolean
}

/** `introduced: 0` is before every version, and so is `fixed: 0`, by which Alpine says that a package never had the flaw. */
function turnOf(event: RangeEvent): Turn | undefined {
  if ('introduced' in event) return { at: event.introduced, on: true, start: event.introduced === '0', after: false }
  if ('fixed' in event) return { at: event.fixed, on: false, start: event.fixed === '0', after: false }
  return 'lastAffected' in event ? { at: event.lastAffected, on: false, start: false, after: true } : undefined
}

function isPassed(version: string, turn: Turn, order: Compare): Affected {
  if (turn.start) return true
  return asAnswer(order(version, turn.at), (sign) => (turn.after ? sign > 0 : sign >= 0))
}

/**
 * Of two turns at one place, the later in the record stands above; a `lastAffected` ends just after its version, and
 * `fixed: 0` outweighs `introduced: 0` wherever it stands.
 */
function isAtOrAbove(turn: Turn, other: Turn, order: Compare): Affected {
  if (turn.start && other.start) return !turn.on || other.on
  if (turn.start || other.start) return other.start
  return asAnswer(order(turn.at, other.at), (sign) => (sign === 0 ? turn.after || !other.after : sign > 0))
}

function asAnswer(order: ReturnType<Compare>, holds: (sign: -1 | 0 | 1) => boolean): Affected {
  return order === 'unknown' ? 'unknown' : holds(order)
}

function numberOf(order: ReturnType<Compare>): number {
  return order === 'unknown' ? 0 : order
}
