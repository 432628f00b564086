// rpm-version(7); rpm rpmio/rpmvercmp.c and lib/rpmver.c (parseEVR): [epoch:]version[-release], without an epoch 0.
import { isTooLong, type Order } from './order.ts'
import { compareNumbers, compareText, endOfDigits, isDigit, isLetter } from './text.ts'

const tilde = 126
const caret = 94
/** Digits and a colon are an epoch; what stands before the last hyphen after them, the version. Any other mark only separates. */
const form = /^(?:\d{1,10}:)?(?!\d+:)[^\s\u0000-\u0020\u007f-\u00a0:-][^\s\u0000-\u0020\u007f-\u00a0]*$/

/**
 * In: two rpm versions, with or without a release. Out: their order as rpm gives it, which knows one for all texts; one
 * without a release comes before the same with one. `unknown` where one can't be a version: no version at all, an epoch
 * past 32 bits, spaces or control characters.
 */
export function compareRpm(a: string, b: string): Order {
  if (isTooLong(a, b) || !form.test(a) || !form.test(b)) return 'unknown'
  const aColon = endOfEpoch(a)
  const bColon = endOfEpoch(b)
  const epochs = compareNumbers(a, 0, Math.max(aColon, 0), b, 0, Math.max(bColon, 0))
  if (epochs !== 0) return epochs
  const aHyphen = endOfVersion(a)
  const bHyphen = endOfVersion(b)
  const versions = compareParts(a, aColon + 1, aHyphen, b, bColon + 1, bHyphen)
  if (versions !== 0) return versions
  if (aHyphen === a.length || bHyphen === b.length) return sign((aHyphen === a.length ? 0 : 1) - (bHyphen === b.length ? 0 : 1))
  return compareParts(a, aHyphen + 1, a.length, b, bHyphen + 1, b.length)
}

/** Out: the position of the colon after an epoch; -1 where there is none. */
function endOfEpoch(text: string): number {
  const end = endOfDigits(text, 0)
  return end > 0 && text[end] === ':' ? end : -1
}

function endOfVersion(text: string): number {
  const hyphen = text.lastIndexOf('-')
  return hyphen < 0 ? text.length : hyphen
}

function sign(number: number): -1 | 0 | 1 {
  return number < 0 ? -1 : number > 0 ? 1 : 0
}

/** rpmvercmp: runs of digits and of letters in turn, whatever marks stand between. `~` sorts before the end, `^` just after it. */
function compareParts(a: string, aAt: number, aTo: number, b: string, bAt: number, bTo: number): -1 | 0 | 1 {
  for (;;) {
    aAt = skipMarks(a, aAt, aTo)
    bAt = skipMarks(b, bAt, bTo)
    const marks = compareAtMark(codeAt(a, aAt, aTo), codeAt(b, bAt, bTo))
    if (marks === 'same') {
      aAt++
      bAt++
      continue
    }
    if (marks !== 'none') return marks
    if (aAt >= aTo || bAt >= bTo) return aAt < aTo ? 1 : bAt < bTo ? -1 : 0
    const aEnd = endOfRun(a, aAt, aTo)
    const bEnd = endOfRun(b, bAt, bTo)
    const order = compareRuns(a, aAt, aEnd, b, bAt, bEnd)
    if (order !== 0) return order
    aAt = aEnd
    bAt = bEnd
  }
}

/** Codes at both places, -1 at the end. `same`: both have the mark; `none`: neither has one. */
function compareAtMark(a: number, b: number): -1 | 1 | 'same' | 'none' {
  if (a === b && (a === tilde || a === caret)) return 'same'
  if (a === tilde || b === tilde) return a === tilde ? -1 : 1
  if (a === caret) return b === -1 ? 1 : -1
  if (b === caret) return a === -1 ? -1 : 1
  return 'none'
}

/** A run of digits is newer than one of letters. */
function compareRuns(a: string, aAt: number, aEnd: number, b: string, bAt: number, bEnd: number): -1 | 0 | 1 {
  const aIsNumber = isDigit(a.charCodeAt(aAt))
  const bIsNumber = isDigit(b.charCodeAt(bAt))
  if (aIsNumber !== bIsNumber) return aIsNumber ? 1 : -1
  return (aIsNumber ? compareNumbers : compareText)(a, aAt, aEnd, b, bAt, bEnd)
}

function codeAt(text: string, at: number, to: number): number {
  return at < to ? text.charCodeAt(at) : -1
}

function skipMarks(text: string, from: number, to: number): number {
  let at = from
  while (at < to && isMark(text.charCodeAt(at))) at++
  return at
}

function isMark(code: number): boolean {
  return !isDigit(code) && !isLetter(code) && code !== tilde && code !== caret
}

function endOfRun(text: string, from: number, to: number): number {
  if (isDigit(text.charCodeAt(from))) return Math.min(endOfDigits(text, from), to)
  let at = from
  while (at < to && isLetter(text.charCodeAt(at))) at++
  return at
}
