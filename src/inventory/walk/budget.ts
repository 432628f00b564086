import { LazaretError } from '../../kit/errors.ts'
import type { LayerLimits } from '../limits.ts'

/** Counts what a layer costs, and refuses it past its limits. Each method throws LIMIT_EXCEEDED. */
export class Budget {
  readonly #limits: LayerLimits
  readonly #bytesIn: () => number
  #bytes = 0
  #entries = 0
  #packages = 0
  #ownedFiles = 0

  /** In: the limits, and the stored bytes that were read so far. */
  constructor(limits: LayerLimits, bytesIn: () => number) {
    this.#limits = limits
    this.#bytesIn = bytesIn
  }

  bytes(count: number): void {
    this.#bytes += count
    if (this.#bytes > this.#limits.uncompressedBytes) throw exceeded(`unpacks to more than ${this.#limits.uncompressedBytes} bytes`)
    if (this.#bytes <= this.#limits.ratioFreeBytes) return
    if (this.#bytes > this.#limits.ratio * this.#bytesIn()) {
      throw exceeded(
        `unpacks to more than ${this.#limits.ratioFreeBytes} bytes and more than ${this.#limits.ratio} times its stored size: a decompression bomb`,
      )
    }
  }

  entry(): void {
    if (++this.#entries > this.#limits.entries) throw exceeded(`has more than ${this.#limits.entries} entries`)
  }

  /** In: bytes of all names that are kept so far. */
  names(count: number): void {
    if (count > this.#limits.nameBytes) throw exceeded(`has names of more than ${this.#limits.nameBytes} bytes`)
  }

  package(): void {
    if (++this.#packages > this.#limits.packages) throw exceeded(`holds more than ${this.#limits.packages} packages`)
  }

  ownedFiles(count: number): void {
    this.#ownedFiles += count
    if (this.#ownedFiles > this.#limits.ownedFiles) throw exceeded(`names more than ${this.#limits.ownedFiles} owned files`)
  }
}

function exceeded(what: string): LazaretError {
  return new LazaretError('LIMIT_EXCEEDED', `the layer ${what}`)
}
