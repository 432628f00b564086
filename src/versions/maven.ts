// Maven's "Version Order Specification" (maven.apache.org/pom.html), and ComparableVersion where that says more.
//
//   1.2.0-alpha3.x   1  .2  .0  -alpha  -3  .x      a token with the separator before it; from digits to letters is a hyphen
//                    1  .2      -alpha  -3  .x      nothings at the end and before a hyphen are taken off
import { maxVersionLength, type Order } from './order.ts'
import { compareNumbers, compareText, isDigit } from './text.ts'

type Sign = -1 | 0 | 1

interface Token {
  /** A hyphen stands before it; else a dot, or nothing before the first. */
  hyphen: boolean
  isNumber: boolean
  /** Digits, or a qualifier in lower case; the release's is empty. */
  text: string
}

/** In order; what is none of them comes after, by letters. */
const qualifiers = ['alpha', 'beta', 'milestone', 'rc', 'snapshot', '', 'sp']
const aliases: Record<string, string> = { cr: 'rc', ga: '', final: '', release: '' }
const shortNames: Record<string, string> = { a: 'alpha', b: 'beta', m: 'milestone' }

const dot = 46
const hyphen = 45

/**
 * In: two versions. Out: their order. Maven takes any text for a version; here one with a blank, a control character or
 * what is no ASCII, an unresolved `${…}`, a range, or none at all is none.
 *
 * The specification gives no order of all versions: 1.0.RC1 < 1 < 1-1 < 1.0.RC1, as a zero that a dot follows stays. Only
 * versions that mix such qualifiers with numbers after a hyphen are in a ring like this.
 */
export function compareMaven(a: string, b: string): Order {
  if (!isVersion(a) || !isVersion(b)) return 'unknown'
  const left = tokensOf(a)
  const right = tokensOf(b)
  for (let at = 0; at < left.length || at < right.length; at++) {
    const order = compareTokens(left[at], right[at])
    if (order !== 0) return order
  }
  return 0
}

function isVersion(text: string): boolean {
  return text !== '' && text.length <= maxVersionLength && /^[!-~]+$/.test(text) && !/[${}[\](),]/.test(text)
}

function tokensOf(version: string): Token[] {
  const text = version.toLowerCase()
  const tokens: Token[] = []
  let start = 0
  let afterHyphen = false
  for (let at = 0; at <= text.length; at++) {
    const code = text.charCodeAt(at)
    const isSeparator = at === text.length || code === dot || code === hyphen
    const isTurn = !isSeparator && at > start && isDigit(code) !== isDigit(text.charCodeAt(at - 1))
    if (!isSeparator && !isTurn) continue
    tokens.push(tokenOf(text.slice(start, at), afterHyphen, isTurn))
    start = isTurn ? at : at + 1
    afterHyphen = isTurn || code === hyphen
  }
  return withoutNothings(tokens)
}

function tokenOf(text: string, afterHyphen: boolean, beforeNumber: boolean): Token {
  if (text === '') return { hyphen: afterHyphen, isNumber: true, text: '0' }
  if (isDigit(text.charCodeAt(0))) return { hyphen: afterHyphen, isNumber: true, text }
  const whole = beforeNumber && Object.hasOwn(shortNames, text) ? (shortNames[text] as string) : text
  return { hyphen: afterHyphen, isNumber: false, text: Object.hasOwn(aliases, whole) ? (aliases[whole] as string) : whole }
}

/** The first token always stays. */
function withoutNothings(tokens: readonly Token[]): Token[] {
  const kept: Token[] = []
  for (const [index, token] of tokens.entries().toArray().toReversed()) {
    const next = kept.at(-1)
    if (index === 0 || !isNothing(token) || (next !== undefined && !next.hyphen)) kept.push(token)
  }
  return kept.toReversed()
}

function isNothing({ isNumber, text }: Token): boolean {
  return isNumber ? /^0+$/.test(text) : text === ''
}

/** `.qualifier` < `-qualifier` < `-number` < `.number`. */
function placeOf(token: Token): number {
  if (token.isNumber) return token.hyphen ? 2 : 3
  return token.hyphen ? 1 : 0
}

function compareTokens(a: Token | undefined, b: Token | undefined): Sign {
  if (a === undefined) return b === undefined ? 0 : turned(compareToNothing(b))
  if (b === undefined) return compareToNothing(a)
  const places = Math.sign(placeOf(a) - placeOf(b)) as Sign
  if (places !== 0) return places
  return a.isNumber ? compareNumbers(a.text, 0, a.text.length, b.text, 0, b.text.length) : compareQualifiers(a.text, b.text)
}

/** The shorter version is filled up: with zeros for numbers after a dot, with releases for the rest. */
function compareToNothing(token: Token): Sign {
  if (token.isNumber) return token.hyphen || !isNothing(token) ? 1 : 0
  return compareQualifiers(token.text, '')
}

function compareQualifiers(a: string, b: string): Sign {
  const left = rankOf(a)
  const right = rankOf(b)
  if (left !== right) return left < right ? -1 : 1
  return left === qualifiers.length ? compareText(a, 0, a.length, b, 0, b.length) : 0
}

function rankOf(qualifier: string): number {
  const rank = qualifiers.indexOf(qualifier)
  return rank < 0 ? qualifiers.length : rank
}

function turned(order: Sign): Sign {
  return order === 0 ? 0 : order === 1 ? -1 : 1
}
