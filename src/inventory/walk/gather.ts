import { SpooledFile } from '../content/spooled.ts'
import type { Extractor, WantedFile } from '../extractor.ts'
import type { Problems } from './problems.ts'

/** A wanted file with all its bytes. */
export interface Gathered {
  /** Of its entry in the layer's tree. */
  index: number
  file: WantedFile
  takers: Extractor[]
  /** Called when the takers are done. */
  release(): void
}

/** A file above this size is laid down, where all its takers can read it from there. */
const inMemoryBytes = 8 * 1024 * 1024

/** Keeps the bytes of one wanted file; none where its takers read only the path. */
export class Gather {
  readonly #path: string
  readonly #index: number
  readonly #sizeBytes: number
  readonly #takers: Extractor[]
  readonly #needsBytes: boolean
  readonly #spooled: SpooledFile | undefined
  readonly #chunks: Buffer[] = []

  constructor(path: string, index: number, sizeBytes: number, takers: Extractor[]) {
    this.#path = path
    this.#index = index
    this.#sizeBytes = sizeBytes
    this.#takers = takers
    const readers = takers.filter((taker) => taker.maxBytes > 0)
    this.#needsBytes = readers.length > 0
    const spools = sizeBytes > inMemoryBytes && readers.length > 0 && readers.every((taker) => taker.spools === true)
    this.#spooled = spools ? new SpooledFile() : undefined
  }

  /** A chunk may be overwritten by the next one: only a file that came whole is read before that. */
  push(bytes: Buffer): void {
    if (!this.#needsBytes) return
    if (this.#spooled !== undefined) return this.#spooled.append(bytes)
    this.#chunks.push(bytes.length === this.#sizeBytes ? bytes : Buffer.from(bytes))
  }

  finish(): Gathered {
    const bytes = this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks)
    const spooled = this.#spooled
    return {
      index: this.#index,
      file: { path: this.#path, sizeBytes: this.#sizeBytes, bytes, ...(spooled !== undefined && { spooled }) },
      takers: this.#takers,
      release: () => spooled?.close(),
    }
  }
}

/** The extractors that read a file of this size; for each other one a problem is noted. */
export function takersFor(takers: Extractor[], path: string, sizeBytes: number, problems: Problems): Extractor[] {
  return takers.filter((taker) => {
    const fits = taker.maxBytes === 0 || sizeBytes <= taker.maxBytes
    if (!fits) problems.add(path, `has ${sizeBytes} bytes, more than the ${taker.maxBytes} that ${taker.name} reads`)
    return fits
  })
}
