/** Reads unsigned numbers of a program's head in its byte order; what lies beyond the bytes, or past 2^53, is NaN. */
export class Numbers {
  readonly #bytes: Buffer
  readonly bigEndian: boolean

  constructor(bytes: Buffer, bigEndian: boolean) {
    this.#bytes = bytes
    this.bigEndian = bigEndian
  }

  u16(at: number): number {
    if (!this.#has(at, 2)) return NaN
    return this.bigEndian ? this.#bytes.readUInt16BE(at) : this.#bytes.readUInt16LE(at)
  }

  u32(at: number): number {
    if (!this.#has(at, 4)) return NaN
    return this.bigEndian ? this.#bytes.readUInt32BE(at) : this.#bytes.readUInt32LE(at)
  }

  u64(at: number): number {
    if (!this.#has(at, 8)) return NaN
    const value = Number(this.bigEndian ? this.#bytes.readBigUInt64BE(at) : this.#bytes.readBigUInt64LE(at))
    return Number.isSafeInteger(value) ? value : NaN
  }

  /** Of the program's word size. */
  word(at: number, is64: boolean): number {
    return is64 ? this.u64(at) : this.u32(at)
  }

  #has(at: number, bytes: number): boolean {
    return at >= 0 && at + bytes <= this.#bytes.length
  }
}

/** A text that ends at the first NUL, or where the bytes do. */
export function textAt(bytes: Buffer, from: number, to: number): string {
  const part = bytes.subarray(from, to)
  const end = part.indexOf(0)
  return part.toString('latin1', 0, end < 0 ? part.length : end)
}
