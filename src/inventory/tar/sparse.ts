import type { TarHeader } from './header.ts'
import { blockBytes } from './header.ts'
import { parseDecimal, parseNumeric } from './numbers.ts'
import { sparseMapKey } from './pax.ts'
import type { PaxRecords } from './pax.ts'
import { unreadable } from './unreadable.ts'

/** A run of bytes that the archive holds; all between two runs is zeros. */
export interface SparseRun {
  offset: number
  length: number
}

export type SparseKind = 'none' | 'old' | 'pax-map' | 'pax-data'

/** Bounds the map itself, as Go does: 1 MiB of text or blocks. */
export const maxSparseMapBytes = 1024 * 1024

/**
 * Which of GNU's four sparse forms an entry has: old (type `S`), PAX 0.0 and 0.1 (a map in the records), PAX 1.0 (a map
 * before the data). GNU tar manual, "Storing Sparse Files".
 */
export function sparseKindOf(header: TarHeader, records: PaxRecords): SparseKind {
  if (header.flag === 'S') return 'old'
  const version = `${records.get('GNU.sparse.major') ?? ''}.${records.get('GNU.sparse.minor') ?? ''}`
  if (version === '1.0') return 'pax-data'
  if (version === '0.0' || version === '0.1') return 'pax-map'
  if (version !== '.') return 'none'
  return (records.get(sparseMapKey) ?? '') === '' ? 'none' : 'pax-map'
}

/** Name and size as the records of a sparse file give them. */
export function mergeSparse(header: TarHeader, records: PaxRecords, offset: number): void {
  header.name = records.get('GNU.sparse.name') || header.name
  const size = records.get('GNU.sparse.size') || records.get('GNU.sparse.realsize') || ''
  if (size !== '') header.sizeBytes = parseDecimal(size, 'the size of a sparse file', offset)
}

export function parsePaxMap(records: PaxRecords, offset: number): SparseRun[] {
  const count = parseDecimal(records.get('GNU.sparse.numblocks') ?? '', 'the number of sparse blocks', offset)
  const text = records.get(sparseMapKey) ?? ''
  const numbers = text === '' ? [] : text.split(',')
  if (numbers.length !== 2 * count) throw unreadable('a sparse map has another length than it says', offset)
  return runsOf(numbers, offset)
}

/** In: the text of a 1.0 map with at least its first line. Out: how many lines it has in all. Throws UNREADABLE. */
export function dataMapLines(text: string, offset: number): number {
  const count = parseDecimal(text.slice(0, text.indexOf('\n')), 'the number of sparse blocks', offset)
  if (count < 0 || 2 * count > maxSparseMapBytes) throw unreadable('a sparse map is of impossible length', offset)
  return 2 * count + 1
}

/** In: the text of a 1.0 map with all its lines, and more after them. */
export function parseDataMap(text: string, lines: number, offset: number): SparseRun[] {
  return runsOf(text.split('\n', lines).slice(1), offset)
}

/** In: a header of type S or one of its extension blocks, and where its entries are. Out: whether another block follows. */
export function parseOldRuns(block: Buffer, start: number, entries: number, runs: SparseRun[], offset: number): boolean {
  for (let entry = 0; entry < entries; entry++) {
    const at = start + entry * 24
    if (block[at] === 0) break
    runs.push({ offset: parseNumeric(block, at, at + 12, offset), length: parseNumeric(block, at + 12, at + 24, offset) })
  }
  if (runs.length * 24 > maxSparseMapBytes) throw unreadable('a sparse map is too long', offset)
  return block[start + entries * 24] !== 0
}

export function oldRealSize(block: Buffer, offset: number): number {
  return parseNumeric(block, 483, 495, offset)
}

/** Where the entries of an old map are: four in the header, then extension blocks full of them. */
export const oldSparse = { headerStart: 386, headerEntries: 4, blockStart: 0, blockEntries: Math.floor(blockBytes / 24) }

/** Runs in order, none over another, all within the file, and as many bytes as the archive holds. Throws UNREADABLE. */
export function checkRuns(runs: SparseRun[], sizeBytes: number, storedBytes: number, offset: number): void {
  let end = 0
  let stored = 0
  if (sizeBytes < 0) throw unreadable('a sparse file has a negative size', offset)
  for (const run of runs) {
    if (run.offset < end || run.length < 0 || run.offset + run.length > sizeBytes)
      throw unreadable('a sparse map has runs out of order or out of the file', offset)
    end = run.offset + run.length
    stored += run.length
  }
  if (stored !== storedBytes) throw unreadable(`a sparse map speaks of ${stored} bytes where the archive holds ${storedBytes}`, offset)
}

function runsOf(numbers: string[], offset: number): SparseRun[] {
  const runs: SparseRun[] = []
  for (let at = 0; at + 1 < numbers.length; at += 2) {
    runs.push({
      offset: parseDecimal(numbers[at] ?? '', 'a sparse offset', offset),
      length: parseDecimal(numbers[at + 1] ?? '', 'a sparse length', offset),
    })
  }
  return runs
}
