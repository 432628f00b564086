/** A stream of numbers that a seed gives again: the same on every machine. Mulberry32, by Tommy Ettinger. */
export class Random {
  #state: number

  /** In: whatever tells one stream from another. */
  constructor(...seed: (string | number)[]) {
    let hash = 0x811c9dc5
    for (const char of seed.join('\n')) hash = Math.imul(hash ^ (char.codePointAt(0) as number), 0x01000193)
    this.#state = hash
  }

  /** Out: a whole number from 0 up to, not including, `below`. */
  below(below: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below)
  }

  of<T>(values: readonly T[]): T {
    return values[this.below(values.length)] as T
  }
}
