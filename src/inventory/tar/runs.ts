import type { TarHandler } from './entry.ts'
import type { SparseRun } from './sparse.ts'

const zeros = Buffer.alloc(256 * 1024)

/** Puts the holes of a sparse file back between the runs that the archive holds. */
export class Runs {
  readonly #runs: SparseRun[]
  readonly #sizeBytes: number
  #run = 0
  /** Position in the file as it is unpacked. */
  #at = 0

  /** In: runs that `checkRuns` passed, and the size of the whole file. */
  constructor(runs: SparseRun[], sizeBytes: number) {
    this.#runs = runs
    this.#sizeBytes = sizeBytes
  }

  push(bytes: Buffer, handler: TarHandler): void {
    for (let at = 0; at < bytes.length; ) {
      const run = this.#runs[this.#run]
      if (run === undefined) return
      if (this.#at < run.offset) this.#fill(run.offset, handler)
      const taken = Math.min(bytes.length - at, run.offset + run.length - this.#at)
      if (taken > 0) handler.data(bytes.subarray(at, at + taken))
      at += taken
      this.#at += taken
      if (this.#at === run.offset + run.length) this.#run++
    }
  }

  finish(handler: TarHandler): void {
    this.#fill(this.#sizeBytes, handler)
  }

  #fill(end: number, handler: TarHandler): void {
    while (this.#at < end) {
      const length = Math.min(zeros.length, end - this.#at)
      handler.data(zeros.subarray(0, length))
      this.#at += length
    }
  }
}
