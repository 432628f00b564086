/** Lines for people, kept up to a number and counted beyond it. */
export class Problems {
  readonly #kept: string[] = []
  readonly #most: number
  #left = 0

  constructor(most: number) {
    this.#most = most
  }

  /** In: the path (cut to a length that a line bears), and what is wrong with it. */
  add(path: string, what: string): void {
    if (this.#kept.length < this.#most) this.#kept.push(`${path.slice(0, 300)}: ${what}`)
    else this.#left++
  }

  list(): string[] {
    return this.#left === 0 ? this.#kept : [...this.#kept, `and ${this.#left} more`]
  }
}
