// Elixir's Version module (hexdocs.pm/elixir/Version.html): SemVer 2.0.0, the build is ignored.
import type { Order } from './order.ts'
import { compareStrictSemver } from './strict-semver.ts'

/** In: two versions of Hex packages. Out: their order. */
export function compareHex(a: string, b: string): Order {
  return compareStrictSemver(a, b)
}
