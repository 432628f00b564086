import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'

const segmentRows = 1 << 16
const numbers = 5
const segmentBytes = segmentRows * numbers * 8
/** Most layers are small, and memory that is set aside for no rows is paid for all the same. */
const firstRows = 1 << 8

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
  #open = new Float64Array(firstRows * numbers)
  #capacity = firstRows
  #rows = 0
  /** The full segment that was looked at last. */
  #unpacked: { segment: number; values: Float64Array } | undefined

  add({ mode, uid, gid, sizeBytes, mtime }: Attributes): void {
    const row = this.#rows++ & (segmentRows - 1)
    if (row >= this.#capacity) this.#grow()
    const capacity = this.#capacity
    // Column by column: like stands beside like.
    this.#open[row] = mode
    this.#open[capacity + row] = uid
    this.#open[2 * capacity + row] = gid
    this.#open[3 * capacity + row] = sizeBytes
    this.#open[4 * capacity + row] = mtime
    if (row === segmentRows - 1) this.#seal()
  }

  get(row: number): Attributes {
    const values = this.#valuesOf(row >>> 16)
    const capacity = values.length / numbers
    const at = row & (segmentRows - 1)
    const column = (nth: number) => values[nth * capacity + at] as number
    return { mode: column(0), uid: column(1), gid: column(2), sizeBytes: column(3), mtime: column(4) }
  }

  sizeOf(row: number): number {
    const values = this.#valuesOf(row >>> 16)
    return values[3 * (values.length / numbers) + (row & (segmentRows - 1))] as number
  }

  #grow(): void {
    const before = this.#open
    const capacity = this.#capacity
    this.#capacity = capacity * 2
    this.#open = new Float64Array(this.#capacity * numbers)
    for (let nth = 0; nth < numbers; nth++) this.#open.set(before.subarray(nth * capacity, (nth + 1) * capacity), nth * this.#capacity)
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
