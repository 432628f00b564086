// NuGet, "Package versioning" (learn.microsoft.com/nuget): SemVer 2.0.0 with a fourth number, labels without regard to case.
import { isTooLong, type Order } from './order.ts'
import { compareIdentifierLists } from './semver.ts'
import { compareNumbers } from './text.ts'

const form = /^(\d+(?:\.\d+){0,3})(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?$/

/** In: two NuGet versions. Out: their order; missing numbers are zero, the metadata after `+` is ignored. */
export function compareNuget(a: string, b: string): Order {
  if (isTooLong(a, b)) return 'unknown'
  const left = form.exec(a)
  const right = form.exec(b)
  if (left === null || right === null) return 'unknown'
  return compareReleases(left[1]!, right[1]!) || compareLabels(left[2]?.toLowerCase(), right[2]?.toLowerCase())
}

function compareReleases(a: string, b: string): -1 | 0 | 1 {
  const left = a.split('.')
  const right = b.split('.')
  for (let at = 0; at < 4; at++) {
    const one = left[at] ?? ''
    const other = right[at] ?? ''
    const order = compareNumbers(one, 0, one.length, other, 0, other.length)
    if (order !== 0) return order
  }
  return 0
}

/** Without labels it is the release, which comes after all that lead to it. */
function compareLabels(a: string | undefined, b: string | undefined): -1 | 0 | 1 {
  if (a === undefined || b === undefined) return a === b ? 0 : a === undefined ? 1 : -1
  return compareIdentifierLists(a, 0, a.length, b, 0, b.length)
}
