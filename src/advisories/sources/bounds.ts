import type { RangeEvent } from '../../model/advisory.ts'
import { FieldError } from '../fields.ts'

export type Operator = '<' | '<=' | '>' | '>=' | '='

export interface Bound {
  operator: Operator
  version: string
}

/**
 * In: bounds that hold together, and the first version behind a given one in that world's order. Out: the same as events of an
 * OSV range.
 */
export function eventsOf(bounds: readonly Bound[], after: (version: string) => string): RangeEvent[] {
  const events = bounds.flatMap(({ operator, version }): RangeEvent[] => {
    if (operator === '<') return [{ fixed: version }]
    if (operator === '<=') return [{ lastAffected: version }]
    if (operator === '=') return [{ introduced: version }, { lastAffected: version }]
    return [{ introduced: operator === '>' ? after(version) : version }]
  })
  return events.some((event) => 'introduced' in event) ? events : [{ introduced: '0' }, ...events]
}

const form = /^(<=|>=|<|>|=|)\s*v?(\d[0-9A-Za-z.+_-]{0,99})$/

/** In: `>= 1.2`, as most lists write a bound. Throws a FieldError for what is none. */
export function boundOf(text: string, where: string): Bound {
  const match = form.exec(text.trim())
  if (match === null) throw new FieldError(where, 'not a bound of a version')
  return { operator: (match[1] === '' ? '=' : match[1]) as Operator, version: match[2]! }
}
