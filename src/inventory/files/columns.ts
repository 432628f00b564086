const segmentRows = 1 << 16

/** A list of numbers below 2^32 that grows by segments: nothing is copied as it grows, and no room is kept for what may never come. */
export class NumberColumn {
  readonly #segments: Uint32Array[] = []

  get(row: number): number {
    return this.#segments[row >>> 16]?.[row & (segmentRows - 1)] ?? 0
  }

  set(row: number, value: number): void {
    this.#at(row >>> 16)[row & (segmentRows - 1)] = value
  }

  #at(segment: number): Uint32Array {
    while (this.#segments.length <= segment) this.#segments.push(new Uint32Array(segmentRows))
    return this.#segments[segment] as Uint32Array
  }
}

/** The same for rows of so many bytes each. */
export class ByteColumn {
  readonly #width: number
  readonly #segments: Buffer[] = []

  constructor(width: number) {
    this.#width = width
  }

  /** Out: the segment that holds the row, and where in it the row starts. */
  at(row: number): { bytes: Buffer; start: number } {
    const segment = row >>> 16
    while (this.#segments.length <= segment) this.#segments.push(Buffer.alloc(segmentRows * this.#width))
    return { bytes: this.#segments[segment] as Buffer, start: (row & (segmentRows - 1)) * this.#width }
  }
}
