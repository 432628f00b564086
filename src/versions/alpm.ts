// pacman's vercmp(8); lib/libalpm/version.c: [epoch:]version[-release], without an epoch 0.
import { isTooLong, type Order } from './order.ts'
import { compareNumbers, compareText, endOfDigits, isDigit, isLetter } from './text.ts'

const form =
  /^(?:\d{1,10}:)?[^\s\u0000-\u0020\u007f-\u00a0:/-][^\s\u0000-\u0020\u007f-\u00a0:/-]*(?:-[^\s\u0000-\u0020\u007f-\u00a0:/-]+)?$/

/**
 * In: two versions of pacman packages. Out: their order as libalpm gives it; a release counts only where both have one.
 * It is an older form of rpm's: no mark is special, letters at the end come before nothing (1.0rc < 1.0), and a longer run of
 * marks is newer. `unknown` where one is not of the form.
 */
export function compareAlpm(a: string, b: string): Order {
  if (isTooLong(a, b) || !form.test(a) || !form.test(b)) return 'unknown'
  const aColon = a.indexOf(':')
  const bColon = b.indexOf(':')
  const epochs = compareNumbers(a, 0, Math.max(aColon, 0), b, 0, Math.max(bColon, 0))
  if (epochs !== 0) return epochs
  const aHyphen = a.indexOf('-')
  const bHyphen = b.indexOf('-')
  const versions = compareParts(
    a.slice(aColon + 1, aHyphen < 0 ? undefined : aHyphen),
    b.slice(bColon + 1, bHyphen < 0 ? undefined : bHyphen),
  )
  if (versions !== 0 || aHyphen < 0 || bHyphen < 0) return versions
  return compareParts(a.slice(aHyphen + 1), b.slice(bHyphen + 1))
}

/** Runs of digits and of letters in turn, with the same count of marks before each. */
function compareParts(a: string, b: string): -1 | 0 | 1 {
  let aAt = 0
  let bAt = 0
  while (aAt < a.length && bAt < b.length) {
    const aRun = skipMarks(a, aAt)
    const bRun = skipMarks(b, bAt)
    const marks = aRun - aAt - (bRun - bAt)
    aAt = aRun
    bAt = bRun
    if (aAt >= a.length || bAt >= b.length) break
    if (marks !== 0) return marks < 0 ? -1 : 1
    const isNumber = isDigit(a.charCodeAt(aAt))
    if (isNumber !== isDigit(b.charCodeAt(bAt))) return isNumber ? 1 : -1
    const aEnd = endOfRun(a, aAt, isNumber)
    const bEnd = endOfRun(b, bAt, isNumber)
    const order = (isNumber ? compareNumbers : compareText)(a, aAt, aEnd, b, bAt, bEnd)
    if (order !== 0) return order
    aAt = aEnd
    bAt = bEnd
  }
  return compareRests(a, aAt, b, bAt)
}

/** One has ended, or both: what is left is newer, but not where it starts with a letter. */
function compareRests(a: string, aAt: number, b: string, bAt: number): -1 | 0 | 1 {
  if (aAt >= a.length && bAt >= b.length) return 0
  if (aAt >= a.length) return isLetter(b.charCodeAt(bAt)) ? 1 : -1
  return isLetter(a.charCodeAt(aAt)) ? -1 : 1
}

function skipMarks(text: string, from: number): number {
  let at = from
  while (at < text.length && !isDigit(text.charCodeAt(at)) && !isLetter(text.charCodeAt(at))) at++
  return at
}

function endOfRun(text: string, from: number, isNumber: boolean): number {
  if (isNumber) return endOfDigits(text, from)
  let at = from
  while (at < text.length && isLetter(text.charCodeAt(at))) at++
  return at
}
