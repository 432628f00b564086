import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'

const segmentRows = 1 << 16
const numbers = 5
const segmentBytes = segmentRows * numbers * 8

/** What is asked of a file only as all files are gone through. */
export interface Attributes {
  mode: number
  uid: number
  gid: number
  sizeBytes: number
  mtime: number
}

/** Numbers of files, by row. A segment that is full is compressed: most files have what their neighbours have. */
export class AttributeColumns {
  readonly #full: Buffer[] = []
  #open = new Float64Array(segmentRows * numbers)
  #rows = 0
  /** The full segment that was looked at last. */
  #unpacked: { segment: number; values: Float64Array } | undefined

  add({ mode, uid, gid, sizeBytes, mtime }: Attributes): void {
    const row = this.#rows++ & (segmentRows - 1)
    // Column by column: like stands beside like.
    this.#open[row] = mode
    this.#open[segmentRows + row] = uid
    this.#open[2 * segmentRows + row] = gid
    this.#open[3 * segmentRows + row] = sizeBytes
    this.#open[4 * segmentRows + row] = mtime
    if (row === segmentRows - 1) this.#seal()
  }

  get(row: number): Attributes {
    const values = this.#valuesOf(row >>> 16)
    const at = row & (segmentRows - 1)
    const column = (nth: number) => values[nth * segmentRows + at] as number
    return { mode: column(0), uid: column(1), gid: column(2), sizeBytes: column(3), mtime: column(4) }
  }

  sizeOf(row: number): number {
    return this.#valuesOf(row >>> 16)[3 * segmentRows + (row & (segmentRows - 1))] as number
  }

  #seal(): void {
    this.#full.push(zstdCompressSync(Buffer.from(this.#open.buffer)))
    this.#open.fill(0)
  }

  #valuesOf(segment: number): Float64Array {
    const packed = this.#full[segment]
    if (packed === undefined) return this.#open
    if (this.#unpacked?.segment !== segment) this.#unpacked = { segment, values: floatsOf(packed) }
    return this.#unpacked.values
  }
}

function floatsOf(packed: Buffer): Float64Array {
  const bytes = zstdDecompressSync(packed, { maxOutputLength: segmentBytes })
  return new Float64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length))
}
