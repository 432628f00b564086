const segmentRows = 1 << 16
/** Most layers are small, and memory that is set aside for no rows is paid for all the same. */
const firstRows = 1 << 8

/** Numbers by row, of a kind of array that a segment is. The first segment doubles; nothing is copied beyond it. */
class Column {
  readonly #segments: (Uint32Array | Uint8Array)[] = []
  readonly #make: (rows: number) => Uint32Array | Uint8Array

  constructor(make: (rows: number) => Uint32Array | Uint8Array) {
    this.#make = make
  }

  get(row: number): number {
    return this.#segments[row >>> 16]?.[row & (segmentRows - 1)] ?? 0
  }

  set(row: number, value: number): void {
    const segment = row >>> 16
    if (segment === 0) this.#growFirst(row)
    while (this.#segments.length <= segment) this.#segments.push(this.#make(segmentRows))
    ;(this.#segments[segment] as Uint32Array)[row & (segmentRows - 1)] = value
  }

  #growFirst(row: number): void {
    const before = this.#segments[0] ?? this.#make(firstRows)
    let rows = before.length
    while (rows <= row) rows *= 2
    this.#segments[0] = rows === before.length ? before : this.#make(rows)
    if (this.#segments[0] !== before) this.#segments[0].set(before)
  }
}

/** Of numbers below 2^32. */
export class NumberColumn extends Column {
  constructor() {
    super((rows) => new Uint32Array(rows))
  }
}

/** Of numbers below 2^8. */
export class ByteColumn extends Column {
  constructor() {
    super((rows) => new Uint8Array(rows))
  }
}
