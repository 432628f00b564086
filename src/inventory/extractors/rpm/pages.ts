import type { Content } from '../../content/content.ts'

const aheadBytes = 256 * 1024

/** Each page of a file belongs to one value or one node: a page that comes twice is a circle, or a way to make much of little. */
export class PageUse {
  readonly #last: number
  readonly #used: Uint8Array

  constructor(last: number) {
    this.#last = last
    this.#used = new Uint8Array(last + 1)
  }

  /** Throws RangeError where the page is none of the file, or was taken before. */
  take(page: number): void {
    if (page < 1 || page > this.#last) throw new RangeError(`page ${page} is none of its ${this.#last}`)
    if (this.#used[page] === 1) throw new RangeError(`page ${page} is used twice`)
    this.#used[page] = 1
  }
}

/**
 * In: a file, and where its page 0 starts. Out: reads one page; where pages are asked for in order, many at a time.
 * What it throws is the file's: RangeError where there is no such page.
 */
export function pageReader(content: Content, pageBytes: number, startOfZero = 0): (number: number) => Buffer {
  let first = 0
  let held: Buffer = Buffer.alloc(0)
  return (number) => {
    const at = (number - first) * pageBytes
    if (at >= 0 && at + pageBytes <= held.length) return held.subarray(at, at + pageBytes)
    const start = startOfZero + number * pageBytes
    const ahead = at === held.length ? Math.min(aheadBytes, content.sizeBytes - start) : pageBytes
    held = content.read(start, Math.max(ahead - (ahead % pageBytes), pageBytes))
    first = number
    return held.subarray(0, pageBytes)
  }
}
