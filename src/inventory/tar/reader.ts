import { storedBytesOf, typeOf } from './entry.ts'
import type { TarHandler, TarType } from './entry.ts'
import { blockBytes, parseHeader } from './header.ts'
import type { TarHeader } from './header.ts'
import { mergePax, parsePax } from './pax.ts'
import type { PaxRecords } from './pax.ts'
import { Runs } from './runs.ts'
import {
  checkRuns,
  dataMapLines,
  maxSparseMapBytes,
  mergeSparse,
  oldRealSize,
  oldSparse,
  parseDataMap,
  parseOldRuns,
  parsePaxMap,
  sparseKindOf,
} from './sparse.ts'
import type { SparseRun } from './sparse.ts'
import { parseString } from './text.ts'
import { unreadable } from './unreadable.ts'

/** PAX headers and GNU long names, as Go's archive/tar bounds them. */
const maxSpecialBytes = 1024 * 1024
const zeroBlock = Buffer.alloc(blockBytes)

/** The entry whose header was read and whose bytes are still to come. */
interface Pending {
  header: TarHeader
  type: TarType
  offset: number
  storedBytes: number
  runs?: SparseRun[]
  mapText: string
  mapLines: number
}

/**
 * A tar reader that is pushed: `push` every chunk, then `finish`; each throws UNREADABLE with the offset where the
 * archive is wrong. It holds at most one block, one PAX header or one sparse map, and copies no file bytes.
 *
 * It follows Go's archive/tar, which containerd, Docker, Podman and BuildKit unpack with: two zero blocks end the
 * archive and what follows is not looked at; types without bytes have none whatever size they state; global PAX headers
 * change nothing; a missing last padding is forgiven. A reader that goes on past the end, as tar-stream does, sees
 * whiteouts and files that no container will ever have.
 */
export class TarReader {
  readonly #handler: TarHandler
  #state: 'blocks' | 'special' | 'data' | 'padding' | 'ended' = 'blocks'
  #expect: 'header' | 'second-zero' | 'old-map' | 'data-map' = 'header'
  #offset = 0
  readonly #block = Buffer.allocUnsafe(blockBytes)
  #blockBytes = 0
  #special = Buffer.alloc(0)
  #specialBytes = 0
  #onSpecial: (bytes: Buffer) => void = () => {}
  #remaining = 0
  #padding = 0
  #holes: Runs | undefined
  #pending: Pending | undefined
  #pax: PaxRecords = new Map()
  #longName = ''
  #longLink = ''

  constructor(handler: TarHandler) {
    this.#handler = handler
  }

  push(chunk: Buffer): void {
    for (let at = 0; at < chunk.length; ) {
      const taken = this.#step(chunk, at)
      at += taken
      this.#offset += taken
    }
  }

  /** How many bytes of the entry that was just told are still to come. A caller that can seek need not push them. */
  get skippable(): number {
    return this.#state === 'data' && this.#holes === undefined ? this.#remaining : 0
  }

  /** In place of pushing all that is `skippable`. The handler is told the end of the entry, and none of its data. */
  skip(): void {
    this.#offset += this.#remaining
    this.#remaining = 0
    this.#close()
  }

  finish(): void {
    const where = { special: 'an extended header', data: 'a file', blocks: this.#blockBytes > 0 ? 'a block' : 'a sparse map' }
    const betweenEntries = this.#state === 'blocks' && this.#blockBytes === 0 && this.#pending === undefined
    if (betweenEntries || this.#state === 'padding' || this.#state === 'ended') return
    throw unreadable(`it is cut short inside ${where[this.#state]}`, this.#offset, this.#pending?.header.name)
  }

  #step(chunk: Buffer, at: number): number {
    switch (this.#state) {
      case 'blocks':
        return this.#takeBlock(chunk, at)
      case 'special':
        return this.#takeSpecial(chunk, at)
      case 'data':
        return this.#takeData(chunk, at)
      case 'padding':
        return this.#takePadding(chunk.length - at)
      case 'ended':
        return chunk.length - at
    }
  }

  #takeBlock(chunk: Buffer, at: number): number {
    const start = this.#offset - this.#blockBytes
    if (this.#blockBytes === 0 && chunk.length - at >= blockBytes) {
      this.#onBlock(chunk.subarray(at, at + blockBytes), start)
      return blockBytes
    }
    const taken = chunk.copy(this.#block, this.#blockBytes, at, Math.min(chunk.length, at + blockBytes - this.#blockBytes))
    this.#blockBytes += taken
    if (this.#blockBytes === blockBytes) {
      this.#blockBytes = 0
      this.#onBlock(this.#block, start)
    }
    return taken
  }

  #onBlock(block: Buffer, offset: number): void {
    switch (this.#expect) {
      case 'header':
        return this.#onHeader(block, offset)
      case 'second-zero':
        return this.#onSecondZero(block, offset)
      case 'old-map':
        return this.#onOldMap(block, oldSparse.blockStart, oldSparse.blockEntries)
      case 'data-map':
        return this.#onDataMap(block)
    }
  }

  #onSecondZero(block: Buffer, offset: number): void {
    if (!block.equals(zeroBlock)) throw unreadable('a lone zero block stands before a header', offset)
    this.#state = 'ended'
  }

  #onHeader(block: Buffer, offset: number): void {
    if (block[0] === 0 && block.equals(zeroBlock)) {
      this.#expect = 'second-zero'
      return
    }
    const header = parseHeader(block, offset)
    switch (header.flag) {
      case 'x':
        return this.#readSpecial(header, offset, (bytes) => (this.#pax = parsePax(bytes, offset)))
      case 'g':
        return this.#readSpecial(header, offset, (bytes) => (parsePax(bytes, offset), this.#forget()))
      case 'L':
        return this.#readSpecial(header, offset, (bytes) => (this.#longName = parseString(bytes)))
      case 'K':
        return this.#readSpecial(header, offset, (bytes) => (this.#longLink = parseString(bytes)))
      default:
        return this.#onEntry(header, block, offset)
    }
  }

  #readSpecial(header: TarHeader, offset: number, onSpecial: (bytes: Buffer) => void): void {
    if (header.sizeBytes < 0 || header.sizeBytes > maxSpecialBytes)
      throw unreadable(`an extended header of ${header.sizeBytes} bytes`, offset)
    this.#special = Buffer.allocUnsafe(header.sizeBytes)
    this.#specialBytes = 0
    this.#onSpecial = onSpecial
    this.#padding = paddingOf(header.sizeBytes)
    this.#state = 'special'
    if (header.sizeBytes === 0) this.#endSpecial()
  }

  #takeSpecial(chunk: Buffer, at: number): number {
    const taken = chunk.copy(this.#special, this.#specialBytes, at)
    this.#specialBytes += taken
    if (this.#specialBytes === this.#special.length) this.#endSpecial()
    return taken
  }

  #endSpecial(): void {
    this.#onSpecial(this.#special)
    this.#state = this.#padding > 0 ? 'padding' : 'blocks'
  }

  #onEntry(header: TarHeader, block: Buffer, offset: number): void {
    mergePax(header, this.#pax, offset)
    header.name = this.#longName || header.name
    header.linkName = this.#longLink || header.linkName
    const pending: Pending = { header, type: typeOf(header), offset, storedBytes: storedBytesOf(header), mapText: '', mapLines: 0 }
    if (pending.storedBytes < 0) throw unreadable('a file has a negative size', offset, header.name)
    this.#pending = pending
    switch (sparseKindOf(header, this.#pax)) {
      case 'none':
        return this.#open(pending)
      case 'old':
        return this.#startOldMap(pending, block)
      case 'pax-map':
        return this.#usePaxMap(pending)
      case 'pax-data':
        return this.#startDataMap(pending)
    }
  }

  #usePaxMap(pending: Pending): void {
    mergeSparse(pending.header, this.#pax, pending.offset)
    pending.runs = parsePaxMap(this.#pax, pending.offset)
    this.#open(pending)
  }

  #startDataMap(pending: Pending): void {
    mergeSparse(pending.header, this.#pax, pending.offset)
    this.#expect = 'data-map'
  }

  #onDataMap(block: Buffer): void {
    const pending = this.#pending as Pending
    pending.mapText += block.toString('latin1')
    pending.storedBytes -= blockBytes
    if (pending.storedBytes < 0 || pending.mapText.length > maxSparseMapBytes)
      throw unreadable('a sparse map is longer than its file', pending.offset, pending.header.name)
    for (const byte of block) if (byte === 0x0a) pending.mapLines++
    if (pending.mapLines === 0) return
    const lines = dataMapLines(pending.mapText, pending.offset)
    if (pending.mapLines < lines) return
    pending.runs = parseDataMap(pending.mapText, lines, pending.offset)
    this.#open(pending)
  }

  #startOldMap(pending: Pending, block: Buffer): void {
    if (pending.header.format !== 'gnu') throw unreadable('a sparse file in a format that has none', pending.offset, pending.header.name)
    pending.header.sizeBytes = oldRealSize(block, pending.offset)
    pending.runs = []
    this.#onOldMap(block, oldSparse.headerStart, oldSparse.headerEntries)
  }

  #onOldMap(block: Buffer, start: number, entries: number): void {
    const pending = this.#pending as Pending
    const more = parseOldRuns(block, start, entries, pending.runs as SparseRun[], pending.offset)
    if (more) this.#expect = 'old-map'
    else this.#open(pending)
  }

  #open(pending: Pending): void {
    const { header, type, offset, storedBytes, runs } = pending
    const sparse = runs !== undefined
    if (sparse && type !== 'file' && type !== 'unknown') throw unreadable('a sparse entry that is no file', offset, header.name)
    if (sparse) checkRuns(runs, header.sizeBytes, storedBytes, offset)
    this.#holes = sparse ? new Runs(runs, header.sizeBytes) : undefined
    this.#remaining = storedBytes
    this.#padding = paddingOf(storedBytes)
    this.#state = 'data'
    this.#expect = 'header'
    this.#forget()
    const { name, linkName, flag, mode, uid, gid, mtime } = header
    const sizeBytes = sparse ? header.sizeBytes : storedBytes
    this.#handler.entry({ name, linkName, flag, type, mode, uid, gid, mtime, sizeBytes, offset, sparse })
    if (storedBytes === 0) this.#close()
  }

  #takeData(chunk: Buffer, at: number): number {
    const taken = Math.min(this.#remaining, chunk.length - at)
    const bytes = chunk.subarray(at, at + taken)
    if (this.#holes === undefined) this.#handler.data(bytes)
    else this.#holes.push(bytes, this.#handler)
    this.#remaining -= taken
    if (this.#remaining === 0) this.#close()
    return taken
  }

  #close(): void {
    this.#holes?.finish(this.#handler)
    this.#handler.end()
    this.#pending = undefined
    this.#state = this.#padding > 0 ? 'padding' : 'blocks'
  }

  #takePadding(available: number): number {
    const taken = Math.min(this.#padding, available)
    this.#padding -= taken
    if (this.#padding === 0) this.#state = 'blocks'
    return taken
  }

  /** What extended headers said is meant for one entry. */
  #forget(): void {
    this.#pax = new Map()
    this.#longName = ''
    this.#longLink = ''
  }
}

function paddingOf(bytes: number): number {
  return (blockBytes - (bytes % blockBytes)) % blockBytes
}
