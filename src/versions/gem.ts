// RubyGems, lib/rubygems/version.rb (Gem::Version): VERSION_PATTERN, canonical_segments, <=>.
import { isTooLong, type Order } from './order.ts'
import { compareNumbers, compareText, endOfDigits, isDigit, isLetter } from './text.ts'

/** `1.2.rc1`, `1.2-3` (a hyphen stands for `.pre.`), and `1beta`, which RubyGems refuses today but old gems and records have. */
const form = /^\d[0-9A-Za-z]*(?:\.[0-9A-Za-z]+)*(?:-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?$/

/**
 * In: two gem versions, without their platform. Out: their order. Runs of digits and runs of letters are compared in turn;
 * a run of letters comes before any number, and a missing run is zero.
 */
export function compareGem(a: string, b: string): Order {
  if (isTooLong(a, b)) return 'unknown'
  const left = segmentsOf(a)
  const right = segmentsOf(b)
  if (left === undefined || right === undefined) return 'unknown'
  const count = Math.max(left.length, right.length)
  for (let at = 0; at < count; at++) {
    const order = compareSegments(left[at] ?? '0', right[at] ?? '0')
    if (order !== 0) return order
  }
  return 0
}

function compareSegments(a: string, b: string): -1 | 0 | 1 {
  const aIsNumber = isDigit(a.charCodeAt(0))
  const bIsNumber = isDigit(b.charCodeAt(0))
  if (aIsNumber !== bIsNumber) return aIsNumber ? 1 : -1
  return (aIsNumber ? compareNumbers : compareText)(a, 0, a.length, b, 0, b.length)
}

/** Zeros before the first letters and at the end say nothing: `1.0.0.a` is `1.a`. */
function segmentsOf(version: string): string[] | undefined {
  const text = version.trim()
  if (!form.test(text)) return undefined
  const runs = runsOf(text.replaceAll('-', '.pre.'))
  const firstWord = runs.findIndex((run) => isLetter(run.charCodeAt(0)))
  if (firstWord < 0) return withoutZeros(runs)
  return [...withoutZeros(runs.slice(0, firstWord)), ...withoutZeros(runs.slice(firstWord))]
}

function runsOf(text: string): string[] {
  const runs: string[] = []
  for (let at = 0; at < text.length; ) {
    const end = isDigit(text.charCodeAt(at)) ? endOfDigits(text, at) : endOfLetters(text, at)
    if (end > at) runs.push(text.slice(at, end))
    at = Math.max(end, at + 1)
  }
  return runs
}

function endOfLetters(text: string, from: number): number {
  let at = from
  while (at < text.length && isLetter(text.charCodeAt(at))) at++
  return at
}

function withoutZeros(runs: readonly string[]): string[] {
  let end = runs.length
  while (end > 0 && compareNumbers(runs[end - 1]!, 0, runs[end - 1]!.length, '', 0, 0) === 0) end--
  return runs.slice(0, end)
}
