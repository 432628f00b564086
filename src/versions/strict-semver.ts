// SemVer 2.0.0 as it is written (semver.org, clauses 2, 9 and 10): Cargo and Hex refuse everything else.
import { isTooLong, type Order } from './order.ts'
import { compareSemver } from './semver.ts'

const form =
  /^(?:0|[1-9]\d*)(?:\.(?:0|[1-9]\d*)){2}(?:-(?:0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*)(?:\.(?:0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*))*)?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?$/

/** In: two versions. Out: their order by clause 11; `unknown` where one has fewer or more than three numbers, a leading zero or a `v`. */
export function compareStrictSemver(a: string, b: string): Order {
  return isTooLong(a, b) || !form.test(a) || !form.test(b) ? 'unknown' : compareSemver(a, b)
}
