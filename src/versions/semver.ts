// SemVer 2.0.0, section 11, with what npm (node-semver, loose) and Go data need besides:
// a leading `v` or `=`, fewer than three numbers (`1.2`), leading zeros, a pre-release without its hyphen (`1.2.3beta`).
import { isTooLong, type Order } from './order.ts'
import { compareNumbers, compareText, endOfDigits, isDigit, isLetter } from './text.ts'

const dot = 46
const hyphen = 45
const plus = 43

/** Where the parts stand: up to three numbers, numbers beyond the third, the pre-release; the build is not kept. */
interface Bounds {
  /** From and to, three times; equal where a number is missing, which counts as zero. */
  numbers: number[]
  extraTo: number
  preFrom: number
  preTo: number
}

/**
 * In: two versions. Out: their order; the build is ignored. Numbers beyond the third are in no specification: two
 * versions that differ only there compare as `unknown`.
 */
export function compareSemver(a: string, b: string): Order {
  if (isTooLong(a, b)) return 'unknown'
  const left = boundsOf(a)
  const right = boundsOf(b)
  if (left === undefined || right === undefined) return 'unknown'
  for (let at = 0; at < 6; at += 2) {
    const order = compareNumbers(a, left.numbers[at]!, left.numbers[at + 1]!, b, right.numbers[at]!, right.numbers[at + 1]!)
    if (order !== 0) return order
  }
  if (extraOf(a, left) !== extraOf(b, right)) return 'unknown'
  return comparePreReleases(a, left, b, right)
}

function boundsOf(text: string): Bounds | undefined {
  let at = startOf(text)
  const numbers: number[] = []
  while (numbers.length < 6) {
    const to = endOfDigits(text, at)
    if (to === at) return undefined
    numbers.push(at, to)
    at = to
    if (text.charCodeAt(at) !== dot || numbers.length === 6) break
    at++
  }
  while (numbers.length < 6) numbers.push(at, at)
  const extraTo = endOfExtra(text, at)
  const preFrom = text.charCodeAt(extraTo) === hyphen ? extraTo + 1 : extraTo
  const preTo = endOfIdentifiers(text, preFrom)
  if (preTo === undefined || (preFrom > extraTo && preTo === preFrom)) return undefined
  return isBuild(text, preTo) ? { numbers, extraTo, preFrom, preTo } : undefined
}

function startOf(text: string): number {
  let at = 0
  if (text[at] === '=') at++
  if (text[at] === 'v' || text[at] === 'V') at++
  return at
}

/** `.4.5` in `1.2.3.4.5`. */
function endOfExtra(text: string, from: number): number {
  let at = from
  while (text.charCodeAt(at) === dot && isDigit(text.charCodeAt(at + 1))) at = endOfDigits(text, at + 1)
  return at
}

function extraOf(text: string, bounds: Bounds): string {
  return text.slice(bounds.numbers[5], bounds.extraTo)
}

/** In: where dotted identifiers start. Out: their end; undefined where one is empty. Without any: the start. */
function endOfIdentifiers(text: string, from: number): number | undefined {
  let at = from
  let start = from
  for (; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (isDigit(code) || isLetter(code) || code === hyphen) continue
    if (code !== dot) break
    if (at === start) return undefined
    start = at + 1
  }
  return at === start && at !== from ? undefined : at
}

function isBuild(text: string, from: number): boolean {
  if (from === text.length) return true
  if (text.charCodeAt(from) !== plus) return false
  const to = endOfIdentifiers(text, from + 1)
  return to === text.length && to > from + 1
}

function comparePreReleases(a: string, left: Bounds, b: string, right: Bounds): -1 | 0 | 1 {
  const aIsRelease = left.preFrom === left.preTo
  const bIsRelease = right.preFrom === right.preTo
  if (aIsRelease || bIsRelease) return aIsRelease === bIsRelease ? 0 : aIsRelease ? 1 : -1
  return compareIdentifierLists(a, left.preFrom, left.preTo, b, right.preFrom, right.preTo)
}

/** In: dotted identifiers, none of them empty, each within its bounds. Out: their order by clause 11.4. */
export function compareIdentifierLists(a: string, aFrom: number, aTo: number, b: string, bFrom: number, bTo: number): -1 | 0 | 1 {
  for (let aAt = aFrom, bAt = bFrom; ; ) {
    const aEnd = endOfIdentifier(a, aAt, aTo)
    const bEnd = endOfIdentifier(b, bAt, bTo)
    const order = compareIdentifiers(a, aAt, aEnd, b, bAt, bEnd)
    if (order !== 0) return order
    if (aEnd === aTo || bEnd === bTo) return aEnd === aTo ? (bEnd === bTo ? 0 : -1) : 1
    aAt = aEnd + 1
    bAt = bEnd + 1
  }
}

function endOfIdentifier(text: string, from: number, to: number): number {
  const found = text.indexOf('.', from)
  return found < 0 || found > to ? to : found
}

function compareIdentifiers(a: string, aFrom: number, aTo: number, b: string, bFrom: number, bTo: number): -1 | 0 | 1 {
  const aIsNumber = endOfDigits(a, aFrom) >= aTo
  const bIsNumber = endOfDigits(b, bFrom) >= bTo
  if (aIsNumber && bIsNumber) return compareNumbers(a, aFrom, aTo, b, bFrom, bTo)
  if (aIsNumber !== bIsNumber) return aIsNumber ? -1 : 1
  return compareText(a, aFrom, aTo, b, bFrom, bTo)
}
