/** What was left out, by reason: how often, and where the first few times. */
export interface Dropped {
  reason: string
  count: number
  examples: string[]
}

const reasons = 200
const examples = 3

/** Counts reasons in bounded memory, whatever the input says. */
export class Tally {
  private readonly counted = new Map<string, Dropped>()

  readonly drop = (reason: string, where: string): undefined => {
    const short = reason.slice(0, 200)
    const key = this.counted.has(short) || this.counted.size < reasons ? short : 'other reasons'
    const known = this.counted.get(key) ?? { reason: key, count: 0, examples: [] }
    known.count++
    if (known.examples.length < examples) known.examples.push(where.slice(0, 200))
    this.counted.set(key, known)
    return undefined
  }

  /** The most frequent first. */
  list(): Dropped[] {
    return [...this.counted.values()].sort((a, b) => b.count - a.count)
  }

  get count(): number {
    return this.list().reduce((sum, { count }) => sum + count, 0)
  }
}
