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
