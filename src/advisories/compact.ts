import type { Advisory, AffectedPackage, AffectedRange, RangeEvent } from '../model/advisory.ts'
import { orderFor } from '../versions/compare.ts'
import type { Compare } from '../versions/order.ts'

/**
 * Leaves out the listed versions that the ranges beside them cover anyway, by this ecosystem's order: PyPI's records list
 * half a million. One that the order can't place, or that lies outside every range, keeps the whole list.
 */
export function withoutNeedlessVersions(advisory: Advisory): Advisory {
  if (!advisory.affected.some(({ versions, ranges }) => versions.length > 0 && ranges.length > 0)) return advisory
  return { ...advisory, affected: advisory.affected.map(compacted) }
}

function compacted(affected: AffectedPackage): AffectedPackage {
  const compare = orderFor(affected.ecosystem)
  if (compare === undefined || affected.versions.length === 0 || affected.ranges.length === 0) return affected
  const spans = affected.ranges.map((range) => spansOf(range, compare))
  if (spans.some((list) => list === undefined)) return affected
  const all = spans.flatMap((list) => list ?? [])
  return affected.versions.every((version) => all.some((span) => isInside(version, span, compare)))
    ? { ...affected, versions: [] }
    : affected
}

/** From, and to where it ends: below it, or up to and with it. */
interface Span {
  from: string
  below?: string
  upTo?: string
}

/** Out: the spans of a range whose events alternate as they should; undefined for any other, which is left as it is. */
function spansOf(range: AffectedRange, compare: Compare): Span[] | undefined {
  const spans: Span[] = []
  let open: Span | undefined
  for (const event of sorted(range.events, compare) ?? [{ limit: '' }]) {
    if ('introduced' in event && open === undefined) open = { from: event.introduced }
    else if ('fixed' in event && open !== undefined) open = void spans.push({ ...open, below: event.fixed })
    else if ('lastAffected' in event && open !== undefined) open = void spans.push({ ...open, upTo: event.lastAffected })
    else return undefined
  }
  if (open !== undefined) spans.push(open)
  return spans
}

function sorted(events: readonly RangeEvent[], compare: Compare): RangeEvent[] | undefined {
  let comparable = true
  const order = (a: RangeEvent, b: RangeEvent): number => {
    if ('introduced' in a && a.introduced === '0') return -1
    if ('introduced' in b && b.introduced === '0') return 1
    const result = compare(versionOf(a), versionOf(b))
    if (result === 'unknown') comparable = false
    return result === 'unknown' ? 0 : result
  }
  const list = events.toSorted(order)
  return comparable ? list : undefined
}

function versionOf(event: RangeEvent): string {
  return Object.values(event)[0] as string
}

function isInside(version: string, span: Span, compare: Compare): boolean {
  const from = span.from === '0' ? 1 : compare(version, span.from)
  if (from !== 0 && from !== 1) return false
  if (compare(version, version) !== 0) return false
  if (span.below !== undefined) return compare(version, span.below) === -1
  if (span.upTo === undefined) return true
  const to = compare(version, span.upTo)
  return to === -1 || to === 0
}
