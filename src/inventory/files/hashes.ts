import { SpooledFile } from '../content/spooled.ts'

const hashBytes = 32
const segmentRows = 1 << 16
const segmentBytes = segmentRows * hashBytes
const firstBytes = 1 << 13
/** A part of a segment. */
const readBytes = 1 << 16
/** Beyond half a million rows, what was filled is laid down: hashes do not compress, and next to nobody asks for one. */
const segmentsInMemory = 8

/** SHA-256 by row, set in the order of the rows. */
export class HashColumn {
  readonly #segments: Buffer[] = []
  #spooled: SpooledFile | undefined
  #laidDown = 0
  /** What was read back last: a small part, as links may ask for hashes in any order. */
  #readBack: { start: number; bytes: Buffer } | undefined

  /** In: a row no lower than those before, and lower-case hex. Throws what the file system throws. */
  set(row: number, sha256: string): void {
    const segment = row >>> 16
    if (segment < this.#laidDown) throw new RangeError(`the hash of row ${row} comes after those of rows that follow it`)
    if (this.#laidDown === 0) this.#growFirst(segment === 0 ? (row + 1) * hashBytes : segmentBytes)
    while (this.#segments.length <= segment) this.#segments.push(Buffer.alloc(segmentBytes))
    if (segment > segmentsInMemory) this.#layDown(segment)
    this.#segments[segment]?.write(sha256, (row & (segmentRows - 1)) * hashBytes, hashBytes, 'hex')
  }

  /** Out: lower-case hex, of a row that was set. Throws what the file system throws. */
  get(row: number): string {
    const segment = row >>> 16
    if (segment < this.#laidDown) return this.#read(row * hashBytes)
    const start = (row & (segmentRows - 1)) * hashBytes
    return (this.#segments[segment] as Buffer).toString('hex', start, start + hashBytes)
  }

  /** Most layers are small; where more follows, the first segment is whole. */
  #growFirst(bytes: number): void {
    const before = this.#segments[0] ?? nothing
    if (before.length >= bytes) return
    const grown = Buffer.alloc(Math.min(segmentBytes, Math.max(firstBytes, before.length * 2, bytes)))
    before.copy(grown)
    this.#segments[0] = grown
  }

  #layDown(before: number): void {
    this.#spooled ??= new SpooledFile()
    for (; this.#laidDown < before; this.#laidDown++) {
      this.#spooled.append(this.#segments[this.#laidDown] as Buffer)
      this.#segments[this.#laidDown] = nothing
    }
  }

  #read(at: number): string {
    const start = at - (at % readBytes)
    if (this.#readBack?.start !== start) this.#readBack = { start, bytes: (this.#spooled as SpooledFile).read(start, readBytes) }
    return this.#readBack.bytes.toString('hex', at - start, at - start + hashBytes)
  }
}

const nothing = Buffer.alloc(0)
