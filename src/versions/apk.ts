// apk-tools 3, src/version.c and doc/apk-version.8: digits{.digits}…{letter}{_suffix{digits}}…{~hash}{-rN}
// and two forms that apk-tools 2.14 takes and real packages and advisories have: digits after the letter (opensmtpd
// 6.6.4p1-r1, sudo 1.9.5p2-r0), and an empty number after a dot (mariadb 10.2.24.r0, where -r0 was meant).
import { isTooLong, type Order } from './order.ts'
import { compareNumbers, compareText, endOfDigits, isDigit, isLower } from './text.ts'

// The order of the kinds is apk's own: where two versions differ in kind, the earlier kind is the newer version.
const initial = 0
const digits = 1
const letter = 2
const letterNumber = 3
const suffix = 4
const suffixNumber = 5
const hash = 6
const revision = 7
const end = 8
// apk-tools 3 puts it below all that could stand in its place, and 2.14 above; the former is what those advisories mean.
const emptyNumber = 9
const invalid = 10

// Below zero: before the release that they belong to.
const suffixRank: ReadonlyMap<string, number> = new Map([
  ['alpha', -4],
  ['beta', -3],
  ['pre', -2],
  ['rc', -1],
  ['cvs', 1],
  ['svn', 2],
  ['git', 3],
  ['hg', 4],
  ['p', 5],
])

/** One part of a version: its kind, and where its value stands in the text. */
interface Part {
  text: string
  kind: number
  from: number
  to: number
  /** Of a suffix. */
  rank: number
}

/**
 * In: two apk versions. Out: their order as `apk version -t` gives it; `unknown` where one is of none of the forms above.
 * Numbers are of any size (apk's own wrap at 2^64).
 */
export function compareApk(a: string, b: string): Order {
  if (isTooLong(a, b)) return 'unknown'
  const left = firstPart(a)
  const right = firstPart(b)
  const order = compareParts(left, right)
  return isValidToTheEnd(left) && isValidToTheEnd(right) ? order : 'unknown'
}

/** Leaves both at the first difference. */
function compareParts(left: Part, right: Part): -1 | 0 | 1 {
  while (left.kind === right.kind && !isOver(left)) {
    const order = compareValues(left, right)
    if (order !== 0) return order
    nextPart(left)
    nextPart(right)
  }
  if (left.kind === right.kind) return 0
  if (left.kind === suffix && left.rank < 0) return -1
  if (right.kind === suffix && right.rank < 0) return 1
  return left.kind > right.kind ? -1 : 1
}

function compareValues(left: Part, right: Part): -1 | 0 | 1 {
  if (left.kind === suffix) return left.rank === right.rank ? 0 : left.rank < right.rank ? -1 : 1
  // After the first number a leading zero makes it a fraction (1.06 < 1.1), as in Gentoo's rules.
  const asText = left.kind === letter || left.kind === hash || (left.kind === digits && (startsWithZero(left) || startsWithZero(right)))
  return (asText ? compareText : compareNumbers)(left.text, left.from, left.to, right.text, right.from, right.to)
}

function startsWithZero(part: Part): boolean {
  return part.text.charCodeAt(part.from) === 48
}

function firstPart(text: string): Part {
  const part: Part = { text, kind: initial, from: 0, to: 0, rank: 0 }
  takeDigits(part, initial, 0)
  return part
}

function nextPart(part: Part): void {
  const { text, kind, to } = part
  if (to === text.length) part.kind = end
  else if (isDigit(text.charCodeAt(to))) takeDigits(part, kind === suffix ? suffixNumber : kind === letter ? letterNumber : invalid, to)
  else if (isLower(text.charCodeAt(to))) take(part, endsInNumber(kind) ? letter : invalid, to, to + 1)
  else if (text[to] === '.') takeNumberAfterDot(part, to + 1)
  else if (text[to] === '_') takeSuffix(part, canTake(kind, suffix) ? suffix : invalid, to + 1)
  else if (text[to] === '~') takeHash(part, canTake(kind, hash) ? hash : invalid, to + 1)
  else if (text.startsWith('-r', to)) takeDigits(part, canTake(kind, revision) ? revision : invalid, to + 2)
  else part.kind = invalid
}

/** Whether a dot or a letter may follow. */
function endsInNumber(kind: number): boolean {
  return kind <= digits || kind === letterNumber || kind === emptyNumber
}

/** Whether a part of the kind may follow: hash and revision come once, suffixes any number of times before them. */
function canTake(kind: number, next: number): boolean {
  return kind === emptyNumber || kind < (next === suffix ? hash : next)
}

function takeNumberAfterDot(part: Part, from: number): void {
  const to = endOfDigits(part.text, from)
  if (!endsInNumber(part.kind)) part.kind = invalid
  else part.kind = to === from ? emptyNumber : digits
  part.from = from
  part.to = to
}

function take(part: Part, kind: number, from: number, to: number): void {
  part.kind = from === to ? invalid : kind
  part.from = from
  part.to = to
}

function takeDigits(part: Part, kind: number, from: number): void {
  take(part, kind, from, endOfDigits(part.text, from))
}

function takeSuffix(part: Part, kind: number, from: number): void {
  let to = from
  while (to < part.text.length && isLower(part.text.charCodeAt(to))) to++
  const rank = suffixRank.get(part.text.slice(from, to))
  part.rank = rank ?? 0
  take(part, rank === undefined ? invalid : kind, from, to)
}

function takeHash(part: Part, kind: number, from: number): void {
  let to = from
  while (to < part.text.length && isHex(part.text.charCodeAt(to))) to++
  take(part, kind, from, to)
}

function isHex(code: number): boolean {
  return isDigit(code) || (code >= 97 && code <= 102)
}

function isValidToTheEnd(part: Part): boolean {
  while (!isOver(part)) nextPart(part)
  return part.kind === end
}

function isOver(part: Part): boolean {
  return part.kind === end || part.kind === invalid
}
