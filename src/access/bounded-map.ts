export interface BoundedMap<V> {
  /** Out: the value, or undefined where it is not there, or no longer good. */
  get(key: string, now: number): V | undefined
  /** `until`: the instant (milliseconds since 1970) from which it is no longer good. */
  set(key: string, value: V, until: number): void
  delete(key: string): void
  readonly size: number
}

/** A map that holds at most `most` entries, each until its instant; the one unused for longest makes room. */
export function createBoundedMap<V>(most: number): BoundedMap<V> {
  const entries = new Map<string, { value: V; until: number }>()
  return {
    get(key, now) {
      const entry = entries.get(key)
      if (entry === undefined) return undefined
      entries.delete(key)
      if (now >= entry.until) return undefined
      entries.set(key, entry)
      return entry.value
    },
    set(key, value, until) {
      entries.delete(key)
      if (entries.size >= most) entries.delete(entries.keys().next().value ?? '')
      entries.set(key, { value, until })
    },
    delete: (key) => void entries.delete(key),
    get size() {
      return entries.size
    },
  }
}
