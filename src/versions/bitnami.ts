// Bitnami's catalogue: SemVer of the program, and behind a hyphen the number of the build, which comes after the same
// without one (github.com/bitnami/go-version). The records of Go write `1.26.0-0` for "from 1.26.0 on": build 0 is none.
import { isTooLong, type Order } from './order.ts'
import { compareSemver } from './semver.ts'
import { compareDotted } from './dotted.ts'

const withBuild = /^(\d+(?:\.\d+){0,2})-(\d+(?:\.\d+)*)(?:\+[0-9A-Za-z.-]*)?$/

/** In: two versions of Bitnami packages. Out: their order; letters behind the hyphen make a pre-release, as in SemVer. */
export function compareBitnami(a: string, b: string): Order {
  if (isTooLong(a, b)) return 'unknown'
  const left = withBuild.exec(a)
  const right = withBuild.exec(b)
  const order = compareSemver(left?.[1] ?? a, right?.[1] ?? b)
  return order === 0 ? compareBuilds(left?.[2] ?? '0', right?.[2] ?? '0') : order
}

function compareBuilds(a: string, b: string): Order {
  return compareDotted(a, b, '.')
}
