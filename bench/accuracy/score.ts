// How much of an image's truth a scanner found, and what it made up.
import { keyOf, type Named } from './named.ts'

/** A package of an image, as its own manager lists it. */
export interface Listed extends Named {
  /** Other names of the same thing: a Python package that conda brought is listed by conda and by pip. */
  or?: readonly Named[]
}

export interface Truth {
  packages: readonly Listed[]
  /** What one careful reader lists and another does not: an application's own entry. Neither missed nor made up. */
  either?: readonly Named[]
}

export interface Score {
  /** Of the truth. */
  hits: number
  missed: readonly string[]
  /** Named by the scanner, and in no list. */
  extra: readonly string[]
  recall: number
  precision: number
}

/** In: an image's truth, and what a scanner named. Both count once, however often they are named. */
export function scoreOf(truth: Truth, found: readonly Named[]): Score {
  const keys = new Set(found.map(keyOf))
  const all = [...new Map(truth.packages.map((one) => [keyOf(one), one])).values()]
  const missed = all.filter((one) => !spellings(one).some((key) => keys.has(key))).map(keyOf)
  const known = new Set([...all.flatMap(spellings), ...(truth.either ?? []).map(keyOf)])
  const extra = [...keys].filter((key) => !known.has(key)).toSorted()
  const hits = all.length - missed.length
  return { hits, missed, extra, recall: share(hits, all.length), precision: share(hits, hits + extra.length) }
}

/** In: scores of one scanner. Out: as though all images were one. */
export function together(scores: readonly Score[]): Score {
  const sum = (of: (score: Score) => number) => scores.reduce((all, score) => all + of(score), 0)
  const hits = sum((score) => score.hits)
  const [missed, extra] = [scores.flatMap((score) => score.missed), scores.flatMap((score) => score.extra)]
  return { hits, missed, extra, recall: share(hits, hits + missed.length), precision: share(hits, hits + extra.length) }
}

function spellings(one: Listed): string[] {
  return [one, ...(one.or ?? [])].map(keyOf)
}

/** Of nothing, everything. */
function share(part: number, whole: number): number {
  return whole === 0 ? 1 : part / whole
}
