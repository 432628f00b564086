// Dart's pub_semver, lib/src/version.dart: SemVer, but the build counts: none comes before any, then identifier by identifier.
import { compareIdentifierLists, compareSemver } from './semver.ts'
import type { Order } from './order.ts'

/** In: two versions of Dart packages. Out: their order. */
export function comparePub(a: string, b: string): Order {
  const order = compareSemver(a, b)
  return order === 0 ? compareBuilds(a, a.indexOf('+') + 1, b, b.indexOf('+') + 1) : order
}

/** In: where each build starts, 0 where there is none. */
function compareBuilds(a: string, aFrom: number, b: string, bFrom: number): -1 | 0 | 1 {
  if (aFrom === 0 || bFrom === 0) return aFrom === bFrom ? 0 : aFrom === 0 ? -1 : 1
  return compareIdentifierLists(a, aFrom, a.length, b, bFrom, b.length)
}
