import { executableOf, type Executable } from './executable/executable.ts'
import type { Fact } from './extractor.ts'

/** A file of which the start is known. */
export interface FileHead {
  /** Normalised, as in LayerFile. */
  path: string
  sizeBytes: number
  /** Its first bytes: `headBytes` of them, or all where it has fewer. Valid only during the call. */
  bytes: Buffer
  /** What they tell of a program; undefined where it is none. */
  program: Executable | undefined
}

/** Out: the head of a file, looked at once for all who ask. */
export function headOf(path: string, sizeBytes: number, bytes: Buffer): FileHead {
  return { path, sizeBytes, bytes, program: executableOf(bytes) }
}

/** Enough for the program headers of ELF, the load commands of Mach-O and the section table of PE. */
export const headBytes = 4096

/**
 * Sees one file go by, from its first byte to its last, and keeps next to nothing of it: so programs of any size are
 * read. Made by an extractor's `probe` for one file; `push` as often as need be, then `finish` once.
 */
export interface Probe {
  /** In: bytes, valid only during the call, and where in the file the first of them stands. */
  push(bytes: Buffer, offset: number): void
  finish(): Probed
}

/** What the bytes said; and who must see the same file once more, where what went by early is told by what came late. */
export interface Probed {
  facts: Fact[]
  again?: Probe
}

/** Readings of a layer, the first among them. Who has not finished by then is told as a problem. */
export const maxReadings = 4
