/** Finds a text in bytes that come in pieces, also where it lies across two of them. */
export class Search {
  readonly #needle: Buffer
  /** The end of what went by, in which a hit may have begun. */
  #carry = Buffer.alloc(0)

  constructor(needle: Buffer) {
    this.#needle = needle
  }

  /** In: the next piece and its offset. Out: the offset of each hit that ends in it. */
  *push(bytes: Buffer, offset: number): Generator<number> {
    const keep = this.#needle.length - 1
    if (this.#carry.length > 0) {
      const seam = Buffer.concat([this.#carry, bytes.subarray(0, keep)])
      for (let at = seam.indexOf(this.#needle); at >= 0 && at < this.#carry.length; at = seam.indexOf(this.#needle, at + 1))
        yield offset - this.#carry.length + at
    }
    for (let at = bytes.indexOf(this.#needle); at >= 0; at = bytes.indexOf(this.#needle, at + 1)) yield offset + at
    this.#carry = Buffer.from(
      bytes.length >= keep ? bytes.subarray(bytes.length - keep) : Buffer.concat([this.#carry, bytes]).subarray(-keep),
    )
  }
}
