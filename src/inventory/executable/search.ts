/**
 * Finds a text in bytes that come in pieces, also where it lies across two of them. Only hits that begin in its range
 * count, and pieces outside cost nothing: most of a program is code, where there is nothing to find.
 */
export class Search {
  readonly #needle: Buffer
  readonly #from: number
  readonly #to: number
  /** The end of what went by, in which a hit may have begun. */
  #carry: Buffer = Buffer.alloc(0)

  constructor(needle: Buffer, from = 0, to = Number.POSITIVE_INFINITY) {
    this.#needle = needle
    this.#from = from
    this.#to = to
  }

  /** In: the next piece and its offset. Out: the offset of each hit that ends in it. */
  *push(bytes: Buffer, offset: number): Generator<number> {
    const keep = this.#needle.length - 1
    if (offset + bytes.length <= this.#from || offset > this.#to + keep) return
    if (this.#carry.length > 0) {
      const seam = Buffer.concat([this.#carry, bytes.subarray(0, keep)])
      for (let at = seam.indexOf(this.#needle); at >= 0 && at < this.#carry.length; at = seam.indexOf(this.#needle, at + 1))
        if (this.#has(offset - this.#carry.length + at)) yield offset - this.#carry.length + at
    }
    const first = Math.max(0, this.#from - offset)
    for (let at = bytes.indexOf(this.#needle, first); at >= 0; at = bytes.indexOf(this.#needle, at + 1))
      if (this.#has(offset + at)) yield offset + at
    this.#carry = Buffer.from(
      bytes.length >= keep ? bytes.subarray(bytes.length - keep) : Buffer.concat([this.#carry, bytes]).subarray(-keep),
    )
  }

  #has(at: number): boolean {
    return at >= this.#from && at < this.#to
  }
}
