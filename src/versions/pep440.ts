// PEP 440 (packaging.python.org, "Version specifiers"), appendix B and packaging.version: [N!]N(.N)*[{a|b|rc}N][.postN][.devN][+local]
import { isTooLong, type Order } from './order.ts'
import { compareNumbers, compareText, endOfDigits, isDigit, isLower } from './text.ts'

/** A run of digits in the text; empty stands for zero. */
interface Run {
  from: number
  to: number
}

/** A parsed version: texts are lower case, spellings are normalised (`alpha` → a, `c` and `preview` → rc, `rev` → post). */
interface Version {
  text: string
  epoch: Run
  /** Without trailing zeros: 1.0 equals 1. */
  release: Run[]
  pre?: { rank: number; number: Run }
  post?: Run
  dev?: Run
  local?: Run[]
}

// A word that starts with another stands before it: `preview` is never `pre` and a rest.
const preWords = ['alpha', 'a', 'beta', 'b', 'preview', 'pre', 'rc', 'c']
const preRanks = [0, 0, 1, 1, 2, 2, 2, 2]
const postWords = ['post', 'rev', 'r']
const devWords = ['dev']
const beforeAnyPre = -1
const afterAnyPre = 3

/** In: two versions as Python writes them. Out: their order; `unknown` where one is not of PEP 440 (legacy ones included). */
export function comparePep440(a: string, b: string): Order {
  if (isTooLong(a, b)) return 'unknown'
  const left = versionOf(a)
  const right = versionOf(b)
  if (left === undefined || right === undefined) return 'unknown'
  return (
    compareRuns(left, left.epoch, right, right.epoch) ||
    compareReleases(left, right) ||
    comparePres(left, right) ||
    compareOptional(left, left.post, right, right.post, -1) ||
    compareOptional(left, left.dev, right, right.dev, 1) ||
    compareLocals(left, right)
  )
}

/** Reads a text once from left to right, without going back. */
interface Cursor {
  text: string
  at: number
}

/** One version meets many: matching compares an installed one with every event of every record. */
const parsed = new Map<string, Version | undefined>()
const maxParsed = 4096

function versionOf(raw: string): Version | undefined {
  const known = parsed.get(raw)
  if (known !== undefined) return known
  const version = parse(raw)
  if (parsed.size >= maxParsed) parsed.clear()
  parsed.set(raw, version)
  return version
}

function parse(raw: string): Version | undefined {
  const text = raw.trim().toLowerCase()
  const cursor: Cursor = { text, at: text.startsWith('v') ? 1 : 0 }
  const version: Version = { text, epoch: { from: 0, to: 0 }, release: [] }
  if (!takeEpochAndRelease(cursor, version)) return undefined
  takePre(cursor, version)
  takePost(cursor, version)
  takeDev(cursor, version)
  if (!takeLocal(cursor, version)) return undefined
  return cursor.at === text.length ? version : undefined
}

function takeEpochAndRelease(cursor: Cursor, version: Version): boolean {
  let run = takeRun(cursor)
  if (run.from < run.to && cursor.text[cursor.at] === '!') {
    version.epoch = run
    cursor.at++
    run = takeRun(cursor)
  }
  if (run.from === run.to) return false
  version.release.push(run)
  while (cursor.text[cursor.at] === '.' && isDigit(cursor.text.charCodeAt(cursor.at + 1))) {
    cursor.at++
    version.release.push(takeRun(cursor))
  }
  while (version.release.length > 1 && isZero(cursor.text, version.release.at(-1)!)) version.release.pop()
  return true
}

function takePre(cursor: Cursor, version: Version): void {
  const word = wordAhead(cursor, preWords)
  if (word >= 0) version.pre = { rank: preRanks[word]!, number: takeWordAndNumber(cursor, preWords[word]!) }
}

function takePost(cursor: Cursor, version: Version): void {
  if (cursor.text[cursor.at] === '-' && isDigit(cursor.text.charCodeAt(cursor.at + 1))) {
    cursor.at++
    version.post = takeRun(cursor)
    return
  }
  const word = wordAhead(cursor, postWords)
  if (word >= 0) version.post = takeWordAndNumber(cursor, postWords[word]!)
}

function takeDev(cursor: Cursor, version: Version): void {
  if (wordAhead(cursor, devWords) === 0) version.dev = takeWordAndNumber(cursor, 'dev')
}

/** Out: whether what follows is a local part or nothing. */
function takeLocal(cursor: Cursor, version: Version): boolean {
  if (cursor.text[cursor.at] !== '+') return true
  version.local = []
  do {
    const from = ++cursor.at
    while (isAlphanumeric(cursor.text.charCodeAt(cursor.at))) cursor.at++
    if (from === cursor.at) return false
    version.local.push({ from, to: cursor.at })
  } while (isSeparator(cursor.text[cursor.at]))
  return true
}

function takeRun(cursor: Cursor): Run {
  const from = cursor.at
  cursor.at = endOfDigits(cursor.text, from)
  return { from, to: cursor.at }
}

/** Which of the words comes next, after at most one separator, or -1; nothing is taken. */
function wordAhead(cursor: Cursor, words: readonly string[]): number {
  const from = isSeparator(cursor.text[cursor.at]) ? cursor.at + 1 : cursor.at
  return words.findIndex((word) => cursor.text.startsWith(word, from))
}

/** Takes `[sep]word[sep][digits]`. */
function takeWordAndNumber(cursor: Cursor, word: string): Run {
  if (isSeparator(cursor.text[cursor.at])) cursor.at++
  cursor.at += word.length
  if (isSeparator(cursor.text[cursor.at])) cursor.at++
  return takeRun(cursor)
}

function isSeparator(character: string | undefined): boolean {
  return character === '.' || character === '-' || character === '_'
}

function isAlphanumeric(code: number): boolean {
  return isDigit(code) || isLower(code)
}

function isZero(text: string, run: Run): boolean {
  return compareNumbers(text, run.from, run.to, text, run.from, run.from) === 0
}

function compareRuns(left: Version, a: Run, right: Version, b: Run): -1 | 0 | 1 {
  return compareNumbers(left.text, a.from, a.to, right.text, b.from, b.to)
}

function compareReleases(left: Version, right: Version): -1 | 0 | 1 {
  const shared = Math.min(left.release.length, right.release.length)
  for (let at = 0; at < shared; at++) {
    const order = compareRuns(left, left.release[at]!, right, right.release[at]!)
    if (order !== 0) return order
  }
  return signOf(left.release.length - right.release.length)
}

function comparePres(left: Version, right: Version): -1 | 0 | 1 {
  const difference = preRankOf(left) - preRankOf(right)
  if (difference !== 0) return signOf(difference)
  return left.pre && right.pre ? compareRuns(left, left.pre.number, right, right.pre.number) : 0
}

/** 1.0.dev1 comes before 1.0a1, and 1.0 after any pre-release. */
function preRankOf(version: Version): number {
  if (version.pre) return version.pre.rank
  return version.dev && !version.post ? beforeAnyPre : afterAnyPre
}

/** `absent`: where a version without that part stands to one that has it. */
function compareOptional(left: Version, a: Run | undefined, right: Version, b: Run | undefined, absent: -1 | 1): -1 | 0 | 1 {
  if (a && b) return compareRuns(left, a, right, b)
  if (!a && !b) return 0
  return a ? (absent === 1 ? -1 : 1) : absent
}

function compareLocals(left: Version, right: Version): -1 | 0 | 1 {
  const a = left.local ?? []
  const b = right.local ?? []
  for (let at = 0; at < Math.min(a.length, b.length); at++) {
    const order = compareLocalParts(left.text, a[at]!, right.text, b[at]!)
    if (order !== 0) return order
  }
  return signOf(a.length - b.length)
}

/** Numbers come after words. */
function compareLocalParts(left: string, a: Run, right: string, b: Run): -1 | 0 | 1 {
  const aIsNumber = endOfDigits(left, a.from) >= a.to
  const bIsNumber = endOfDigits(right, b.from) >= b.to
  if (aIsNumber !== bIsNumber) return aIsNumber ? 1 : -1
  return (aIsNumber ? compareNumbers : compareText)(left, a.from, a.to, right, b.from, b.to)
}

function signOf(difference: number): -1 | 0 | 1 {
  return difference === 0 ? 0 : difference < 0 ? -1 : 1
}
