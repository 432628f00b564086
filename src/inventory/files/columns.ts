const segmentRows = 1 << 16

/** Numbers by row, of a kind of array that a segment is. Nothing is copied as a column grows, and no room is kept for what may never come. */
class Column {
  readonly #segments: (Uint32Array | Uint8Array)[] = []
  readonly #make: () => Uint32Array | Uint8Array

  constructor(make: () => Uint32Array | Uint8Array) {
    this.#make = make
  }

  get(row: number): number {
    return this.#segments[row >>> 16]?.[row & (segmentRows - 1)] ?? 0
  }

  set(row: number, value: number): void {
    const segment = row >>> 16
    while (this.#segments.length <= segment) this.#segments.push(this.#make())
    ;(this.#segments[segment] as Uint32Array)[row & (segmentRows - 1)] = value
  }
}

/** Of numbers below 2^32. */
export class NumberColumn extends Column {
  constructor() {
    super(() => new Uint32Array(segmentRows))
  }
}

/** Of numbers below 2^8. */
export class ByteColumn extends Column {
  constructor() {
    super(() => new Uint8Array(segmentRows))
  }
}
