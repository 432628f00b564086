// Cargo, "The manifest format: version" and "Specifying dependencies": SemVer 2.0.0; what a requirement takes does not depend on the build.
import type { Order } from './order.ts'
import { compareStrictSemver } from './strict-semver.ts'

/** In: two versions of crates. Out: their order. */
export function compareCrates(a: string, b: string): Order {
  return compareStrictSemver(a, b)
}
