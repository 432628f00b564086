// PHP's version_compare (php.net/version_compare), by which Composer and OSV compare; a leading `v` and what follows `+`
// count for nothing, and a branch comes before every release (getcomposer.org/doc/articles/versions.md).
import { isTooLong, type Order } from './order.ts'
import { compareNumbers, endOfDigits, isDigit } from './text.ts'

const form = /^[vV]?[0-9][0-9A-Za-z._#-]*(?:\+\S*)?$/
const branch = /^dev-\S+$/

/**
 * PHP looks for these at the start of a word, in this order: `patch` and `post` are `p`. Any other word comes before all,
 * `BETA` too, which Composer would first put into small letters: between two such the number decides.
 */
const ranks: readonly (readonly [string, number])[] = [
  ['dev', 1],
  ['a', 2],
  ['b', 3],
  ['rc', 4],
  ['RC', 4],
  ['#', 5],
  ['p', 6],
]
/** A number, or no more parts, where the other version has a word. */
const numberRank = 5

/**
 * In: two versions of Composer packages. Out: their order; `1.0` comes before `1.0.0`. Of two branches (`dev-main`) nothing
 * can be said unless they are one. (PHP's `#`, which stands for any number, makes no order; no real version has it.)
 */
export function comparePackagist(a: string, b: string): Order {
  if (isTooLong(a, b)) return 'unknown'
  const left = partsOf(a)
  const right = partsOf(b)
  if (left === undefined || right === undefined) return 'unknown'
  if (left === 'branch' || right === 'branch') return left === right ? (a === b ? 0 : 'unknown') : left === 'branch' ? -1 : 1
  return compareParts(left, right)
}

/** Whether a version is a branch, whose place among the releases is not known though Composer sorts it before them. */
export function isPackagistBranch(version: string): boolean {
  return branch.test(version) || /\.x-dev$/i.test(version)
}

function compareParts(a: readonly string[], b: readonly string[]): -1 | 0 | 1 {
  for (let at = 0; at < Math.max(a.length, b.length); at++) {
    const order = comparePart(a[at], b[at])
    if (order !== 0) return order
  }
  return 0
}

/** A part that is missing stands for a number in front of a word, and comes before any number. */
function comparePart(a: string | undefined, b: string | undefined): -1 | 0 | 1 {
  const aIsNumber = a !== undefined && isDigit(a.charCodeAt(0))
  const bIsNumber = b !== undefined && isDigit(b.charCodeAt(0))
  if (aIsNumber && bIsNumber) return compareNumbers(a, 0, a.length, b, 0, b.length)
  if (aIsNumber && b === undefined) return 1
  if (bIsNumber && a === undefined) return -1
  const difference = rankOf(a, aIsNumber) - rankOf(b, bIsNumber)
  return difference === 0 ? 0 : difference < 0 ? -1 : 1
}

function rankOf(part: string | undefined, isNumber: boolean): number {
  if (part === undefined || isNumber) return numberRank
  return ranks.find(([word]) => part.startsWith(word))?.[1] ?? 0
}

/** `1.0-beta2` → `1`, `0`, `beta`, `2`. */
function partsOf(version: string): string[] | 'branch' | undefined {
  if (branch.test(version)) return 'branch'
  if (!form.test(version)) return undefined
  const plus = version.indexOf('+')
  const text = plus < 0 ? version : version.slice(0, plus)
  const parts: string[] = []
  for (let at = isDigit(text.charCodeAt(0)) ? 0 : 1; at < text.length; ) {
    const end = endOfPart(text, at)
    if (end > at) parts.push(text.slice(at, end))
    at = Math.max(end, at + 1)
  }
  return parts
}

function endOfPart(text: string, from: number): number {
  if (isDigit(text.charCodeAt(from))) return endOfDigits(text, from)
  let at = from
  while (at < text.length && !isDigit(text.charCodeAt(at)) && !'.-_'.includes(text[at]!)) at++
  return at
}
