import { createHash, hash } from 'node:crypto'
import type { Hash } from 'node:crypto'

const ofNothing = hash('sha256', '', 'hex')

/** SHA-256 of one file after another. A file that arrives in one piece, as most do, costs one call. */
export class Hasher {
  #expected = 0
  #hash: Hash | undefined
  #whole: string | undefined

  start(sizeBytes: number): void {
    this.#expected = sizeBytes
    this.#hash = undefined
    this.#whole = undefined
  }

  update(bytes: Buffer): void {
    if (this.#hash === undefined && bytes.length === this.#expected) {
      this.#whole = hash('sha256', bytes, 'hex')
      return
    }
    this.#hash ??= createHash('sha256')
    this.#hash.update(bytes)
  }

  /** Out: lower-case hex. */
  finish(): string {
    return this.#whole ?? this.#hash?.digest('hex') ?? ofNothing
  }
}
