// Debian policy 5.6.12 and deb-version(7); dpkg lib/dpkg/version.c (verrevcmp) and parsehelp.c (parseversion).
import { isTooLong, type Order } from './order.ts'
import { compareNumbers, endOfDigits, isDigit, isLetter } from './text.ts'

const tilde = 126
const maxEpoch = 2_147_483_647
const alphanumeric = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'
const upstreamAllowed = tableOf(`${alphanumeric}.-+~:`)
const revisionAllowed = tableOf(`${alphanumeric}.+~`)

/** Where the parts of `[epoch:]upstream[-revision]` stand; the revision is empty where there is none. */
interface Bounds {
  epoch: number
  upstreamFrom: number
  upstreamTo: number
  revisionFrom: number
}

/**
 * In: two Debian versions. Out: their order as `dpkg --compare-versions` gives it; `unknown` where one is such that
 * dpkg would refuse to install it (a bad epoch, an empty part, no digit at the start, a character that is not allowed).
 */
export function compareDpkg(a: string, b: string): Order {
  if (isTooLong(a, b)) return 'unknown'
  const left = boundsOf(a)
  const right = boundsOf(b)
  if (left === undefined || right === undefined) return 'unknown'
  if (left.epoch !== right.epoch) return left.epoch < right.epoch ? -1 : 1
  return (
    compareRuns(a, left.upstreamFrom, left.upstreamTo, b, right.upstreamFrom, right.upstreamTo) ||
    compareRuns(a, left.revisionFrom, a.length, b, right.revisionFrom, b.length)
  )
}

function boundsOf(text: string): Bounds | undefined {
  const colon = text.indexOf(':')
  const epoch = colon < 0 ? 0 : epochOf(text, colon)
  const upstreamFrom = colon + 1
  const hyphen = text.lastIndexOf('-')
  const upstreamTo = hyphen < 0 ? text.length : hyphen
  const revisionFrom = hyphen < 0 ? text.length : hyphen + 1
  if (epoch === undefined || upstreamTo <= upstreamFrom || hyphen === text.length - 1) return undefined
  if (!isDigit(text.charCodeAt(upstreamFrom))) return undefined
  if (!allAllowed(text, upstreamFrom, upstreamTo, upstreamAllowed) || !allAllowed(text, revisionFrom, text.length, revisionAllowed))
    return undefined
  return { epoch, upstreamFrom, upstreamTo, revisionFrom }
}

function epochOf(text: string, colon: number): number | undefined {
  if (colon === 0 || endOfDigits(text, 0) !== colon) return undefined
  const epoch = Number(text.slice(0, colon))
  return epoch <= maxEpoch ? epoch : undefined
}

function allAllowed(text: string, from: number, to: number, allowed: Uint8Array): boolean {
  for (let at = from; at < to; at++) if (allowed[text.charCodeAt(at)] !== 1) return false
  return true
}

function tableOf(characters: string): Uint8Array {
  const table = new Uint8Array(128)
  for (const character of characters) table[character.charCodeAt(0)] = 1
  return table
}

/** verrevcmp: runs of non-digits and of digits in turn. `~` sorts before the end, the end before letters, those before marks. */
function compareRuns(a: string, aAt: number, aTo: number, b: string, bAt: number, bTo: number): -1 | 0 | 1 {
  while (aAt < aTo || bAt < bTo) {
    while ((aAt < aTo && !isDigit(a.charCodeAt(aAt))) || (bAt < bTo && !isDigit(b.charCodeAt(bAt)))) {
      const difference = weightAt(a, aAt, aTo) - weightAt(b, bAt, bTo)
      if (difference !== 0) return difference < 0 ? -1 : 1
      aAt++
      bAt++
    }
    // Each part ends at the text's end or at a mark, so the digits end inside it.
    const aEnd = endOfDigits(a, aAt)
    const bEnd = endOfDigits(b, bAt)
    const order = compareNumbers(a, aAt, aEnd, b, bAt, bEnd)
    if (order !== 0) return order
    aAt = aEnd
    bAt = bEnd
  }
  return 0
}

function weightAt(text: string, at: number, to: number): number {
  if (at >= to) return 0
  const code = text.charCodeAt(at)
  if (code === tilde) return -1
  if (isDigit(code)) return 0
  return isLetter(code) ? code : code + 256
}
