/** Keeps what was asked for last; the oldest goes first. Not for values that are undefined. */
export class Lru<Key, Value> {
  private readonly held = new Map<Key, Value>()
  private readonly most: number

  constructor(most: number) {
    this.most = most
  }

  /** Out: the value kept for the key, made now where there is none. */
  get(key: Key, make: () => Value): Value {
    const found = this.held.get(key)
    if (found !== undefined) {
      this.held.delete(key)
      this.held.set(key, found)
      return found
    }
    const made = make()
    this.held.set(key, made)
    if (this.held.size > this.most) this.held.delete(this.held.keys().next().value as Key)
    return made
  }
}
