import { LazaretError } from '../../kit/errors.ts'
import { shownName } from '../tar/text.ts'
import type { LayerLimits } from '../limits.ts'

/** Counts what a layer costs, and refuses it past its limits. Each method throws LIMIT_EXCEEDED. */
export class Budget {
  readonly #limits: LayerLimits
  readonly #bytesIn: () => number
  #reached: string | undefined
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
    if (this.#bytes > this.#limits.uncompressedBytes) throw this.#exceeded(`unpacks to more than ${this.#limits.uncompressedBytes} bytes`)
    if (this.#bytes <= this.#limits.ratioFreeBytes) return
    if (this.#bytes > this.#limits.ratio * this.#bytesIn()) {
      throw this.#exceeded(
        `unpacks to more than ${this.#limits.ratioFreeBytes} bytes and more than ${this.#limits.ratio} times its stored size: a decompression bomb`,
      )
    }
  }

  /** In: its name, which tells where a limit was passed. */
  entry(name: string): void {
    this.#reached = name
    if (++this.#entries > this.#limits.entries) throw this.#exceeded(`has more than ${this.#limits.entries} entries`)
  }

  /** In: bytes of all names that are kept so far. */
  names(count: number): void {
    if (count > this.#limits.nameBytes) throw this.#exceeded(`has names of more than ${this.#limits.nameBytes} bytes`)
  }

  package(): void {
    if (++this.#packages > this.#limits.packages) throw this.#exceeded(`holds more than ${this.#limits.packages} packages`)
  }

  ownedFiles(count: number): void {
    this.#ownedFiles += count
    if (this.#ownedFiles > this.#limits.ownedFiles) throw this.#exceeded(`names more than ${this.#limits.ownedFiles} owned files`)
  }

  #exceeded(what: string): LazaretError {
    const where = this.#reached === undefined ? '' : `, at ${shownName(this.#reached)}`
    return new LazaretError('LIMIT_EXCEEDED', `the layer ${what}${where}`)
  }
}
