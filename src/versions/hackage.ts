// Haskell's package versioning policy (pvp.haskell.org) and Data.Version: lists of whole numbers; GHC's own are such too.
import { compareDotted } from './dotted.ts'
import type { Order } from './order.ts'

/** In: two versions of Haskell packages. Out: their order; `1.0` comes before `1.0.0`, which is another version. */
export function compareHackage(a: string, b: string): Order {
  return compareDotted(a, b, '.')
}
