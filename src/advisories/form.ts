import type { Advisory } from '../model/advisory.ts'

/** Counts what is left out: the reason in few words (they are counted by it), and where it stood. */
export type Drop = (reason: string, where: string) => undefined

/** What a document of advisory data says, one by one. */
export type Fact =
  | { kind: 'advisory'; advisory: Advisory; merge: Merge }
  | { kind: 'exploited'; cve: string; addedOn: string }
  | { kind: 'probability'; cve: string; probability: number; percentile: number; asOf: string }
  | { kind: 'artifact'; sha1: string; name: string; version: string; asOf: string }
  | { kind: 'coverage'; coverage: Coverage }

/**
 * What a record says of an id that is already there.
 * record: it is the whole truth about the id, as OSV records are.
 * package: it speaks only for the packages that it names, as a distribution's list for one branch does; what was said
 * of others stays, and what one import says twice of a package holds together.
 */
export type Merge = 'record' | 'package'

/** That a source judges an ecosystem: without such a word, silence about a package means nothing. */
export interface Coverage {
  ecosystem: string
  /** whole: what its source publishes about it; thin: a part, and `note` says which. */
  depth: 'whole' | 'thin'
  /** ISO 8601: the day that the data speaks of. */
  asOf: string
  note: string
}

export interface ReadContext {
  /** The instant of the import. */
  now: Date
  /** ISO 8601: how old data without a date of its own is taken to be. */
  asOf: string
  drop: Drop
}

/** One shape that advisory data comes in. */
export interface Form {
  /** Name of the source, as records carry it. */
  name: string
  /** Whether a document whose first JSON value is this has this form. */
  recognises(first: unknown): boolean
  /** In: the document's values. Out: what they say. What can't be read is dropped with its reason, never guessed. */
  read(values: AsyncIterable<unknown>, context: ReadContext): AsyncIterable<Fact>
}
