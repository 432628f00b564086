import type { Probe, Probed } from '../probe.ts'

export interface Range {
  offset: number
  sizeBytes: number
}

/** Collects some ranges of a file as it goes by, and hands them over at its end; what lies beyond the file is missing. */
export class RangeProbe implements Probe {
  readonly #ranges: { offset: number; bytes: Buffer; filled: number }[]
  readonly #then: (parts: Buffer[]) => Probed

  /** In: ranges, whose sizes the caller has bounded, and what to make of their bytes, in the same order. */
  constructor(ranges: readonly Range[], then: (parts: Buffer[]) => Probed) {
    this.#ranges = ranges.map(({ offset, sizeBytes }) => ({ offset, bytes: Buffer.alloc(sizeBytes), filled: 0 }))
    this.#then = then
  }

  push(bytes: Buffer, offset: number): void {
    for (const range of this.#ranges) {
      const from = Math.max(offset, range.offset)
      const to = Math.min(offset + bytes.length, range.offset + range.bytes.length)
      if (from >= to) continue
      bytes.copy(range.bytes, from - range.offset, from - offset, to - offset)
      range.filled = to - range.offset
    }
  }

  finish(): Probed {
    return this.#then(this.#ranges.map(({ bytes, filled }) => bytes.subarray(0, filled)))
  }
}
