// npm's ranges: node-semver, "Ranges" and "Range Grammar": alternatives by `||`, comparators, hyphens, x-ranges, `~`, `^`.
import { compareSemver } from './semver.ts'

/** One bound. */
export interface NpmComparator {
  operator: '<' | '<=' | '>' | '>=' | '='
  version: string
}

/** Longer than any real one; the registry's longest have some hundred alternatives. */
const mostCharacters = 16_384

/**
 * In: a range in npm's words. Out: its alternatives, each the bounds that all hold; an empty list of bounds is any version.
 * Undefined where it is none of the grammar. The pre-releases that an upper bound shuts out are written as npm means
 * them: `^1.2.3` ends below `2.0.0-0`.
 */
export function parseNpmRange(text: string): NpmComparator[][] | undefined {
  if (text.length > mostCharacters) return undefined
  const alternatives: NpmComparator[][] = []
  for (const alternative of text.split('||')) {
    const bounds = boundsOf(alternative.trim())
    if (bounds === undefined) return undefined
    alternatives.push(bounds)
  }
  return alternatives
}

/**
 * In: a version, and a range in npm's words. Out: whether the version lies between the bounds of an alternative, as a range
 * of vulnerable versions means it: pre-releases between them too (`includePrerelease`). `unknown` where one can't be read.
 */
export function isInNpmRange(version: string, range: string): boolean | 'unknown' {
  const alternatives = parseNpmRange(range)
  if (alternatives === undefined || compareSemver(version, version) === 'unknown') return 'unknown'
  return alternatives.some((bounds) => bounds.every((bound) => holds(version, bound)))
}

function holds(version: string, { operator, version: other }: NpmComparator): boolean {
  const order = compareSemver(version, other)
  if (order === 'unknown') return false
  if (order === 0) return operator.endsWith('=')
  return operator.startsWith(order < 0 ? '<' : '>')
}

/** `1`, `1.2.x`, `1.2.3-rc.1`: up to three numbers; what is missing or x is undefined. */
interface Partial {
  major?: number
  minor?: number
  patch?: number
  pre: string
}

const partialForm =
  /^[v=]*(\d{1,15}|[xX*])(?:\.(\d{1,15}|[xX*])(?:\.(\d{1,15}|[xX*])((?:-[0-9A-Za-z-]|[A-Za-z])[0-9A-Za-z-]*(?:\.[0-9A-Za-z-]+)*)?(?:\+[0-9A-Za-z.-]+)?)?)?$/

function boundsOf(alternative: string): NpmComparator[] | undefined {
  if (alternative === '') return []
  const words = alternative.split(/\s+/)
  if (words.length === 3 && words[1] === '-') return hyphenBounds(words[0]!, words[2]!)
  const found: NpmComparator[] = []
  for (const word of joinOperators(words)) {
    const bounds = simpleBounds(word)
    if (bounds === undefined) return undefined
    found.push(...bounds)
  }
  return found
}

/** `>= 1.2` is `>=1.2`. */
function joinOperators(words: readonly string[]): string[] {
  const joined: string[] = []
  for (const word of words) {
    if (joined.length > 0 && /^(?:[<>]=?|=|~>?|\^)$/.test(joined.at(-1)!)) joined[joined.length - 1] += word
    else joined.push(word)
  }
  return joined
}

function simpleBounds(word: string): NpmComparator[] | undefined {
  const [, operator = '', rest = ''] = /^([<>]=?|=|~>?|\^)?(.*)$/.exec(word) ?? []
  const partial = partialOf(rest)
  if (partial === undefined) return undefined
  if (operator.startsWith('~')) return [atLeast(partial), ...below(partial, tildePart(partial))]
  if (operator === '^') return [atLeast(partial), ...below(partial, caretPart(partial))]
  if (operator === '' || operator === '=') return equalBounds(partial)
  return [comparison(operator as NpmComparator['operator'], partial)]
}

function hyphenBounds(from: string, to: string): NpmComparator[] | undefined {
  const low = partialOf(from)
  const high = partialOf(to)
  if (low === undefined || high === undefined) return undefined
  return [atLeast(low), ...(isWhole(high) ? [{ operator: '<=' as const, version: textOf(high) }] : below(high, lastPart(high)))]
}

function partialOf(text: string): Partial | undefined {
  const match = partialForm.exec(text)
  if (match === null) return undefined
  const numbers = match.slice(1, 4).map((part) => (part === undefined || !/^\d/.test(part) ? undefined : Number(part)))
  const [major, minor, patch] = numbers
  if (major === undefined) return { pre: '' }
  if (minor === undefined) return { major, pre: '' }
  return patch === undefined ? { major, minor, pre: '' } : { major, minor, patch, pre: match[4]?.replace(/^-/, '') ?? '' }
}

function isWhole(partial: Partial): boolean {
  return partial.patch !== undefined
}

function textOf({ major = 0, minor = 0, patch = 0, pre }: Partial): string {
  return `${major}.${minor}.${patch}${pre === '' ? '' : `-${pre}`}`
}

/** The lowest version that the partial stands for; of one with missing numbers that is its first pre-release. */
function atLeast(partial: Partial): NpmComparator {
  return { operator: '>=', version: isWhole(partial) ? textOf(partial) : `${textOf(partial)}-0` }
}

function lastPart(partial: Partial): 'none' | 'major' | 'minor' | 'patch' {
  if (partial.major === undefined) return 'none'
  return partial.minor === undefined ? 'major' : partial.patch === undefined ? 'minor' : 'patch'
}

function tildePart(partial: Partial): ReturnType<typeof lastPart> {
  return isWhole(partial) ? 'minor' : lastPart(partial)
}

/** The leftmost number that is not zero may not change. */
function caretPart(partial: Partial): ReturnType<typeof lastPart> {
  const { major, minor, patch } = partial
  if (major === undefined) return 'none'
  if (major > 0 || minor === undefined) return 'major'
  return minor > 0 || patch === undefined ? 'minor' : 'patch'
}

/** Below the first pre-release of the next version at that part. */
function below({ major = 0, minor = 0, patch = 0 }: Partial, part: ReturnType<typeof lastPart>): NpmComparator[] {
  if (part === 'none') return []
  const next = { major: [major + 1, 0, 0], minor: [major, minor + 1, 0], patch: [major, minor, patch + 1] }[part]
  return [{ operator: '<', version: `${next.join('.')}-0` }]
}

function equalBounds(partial: Partial): NpmComparator[] {
  if (isWhole(partial)) return [{ operator: '=', version: textOf(partial) }]
  return partial.major === undefined ? [] : [atLeast(partial), ...below(partial, lastPart(partial))]
}

/** Against a partial, `>` and `<=` speak of all that it stands for: `>1.2` is from 1.3.0 on. `<*` and `>*` are nothing. */
function comparison(operator: NpmComparator['operator'], partial: Partial): NpmComparator {
  if (isWhole(partial)) return { operator, version: textOf(partial) }
  if (partial.major === undefined) return { operator: operator.endsWith('=') ? '>=' : '<', version: '0.0.0-0' }
  if (operator === '>=' || operator === '<') return { operator, version: `${textOf(partial)}-0` }
  const [{ version } = { version: '' }] = below(partial, lastPart(partial))
  return { operator: operator === '>' ? '>=' : '<', version }
}
