export interface BoundedMap<V> {
  /** Out: the value, or undefined where it is not there, or no longer good. */
  get(key: string, now: number): V | undefined
  /** `until`: the instant (milliseconds since 1970) from which it is no longer good. */
  set(key: string, value: V, until: number): void
  delete(key: string): void
  readonly size: number
}

interface Entry<V> {
  value: V
  until: number
  /** Asked for since it last stood first in line. */
  used: boolean
}

/** A map that holds at most `most` entries, each until its instant; one that nobody asked for since its last turn makes room (CLOCK). */
export function createBoundedMap<V>(most: number): BoundedMap<V> {
  const entries = new Map<string, Entry<V>>()

  function makeRoom(): void {
    for (const [key, entry] of entries) {
      entries.delete(key)
      if (!entry.used) return
      entry.used = false
      entries.set(key, entry) // goes to the end of the line; each is there once at most before one is found
    }
  }

  return {
    get(key, now) {
      const entry = entries.get(key)
      if (entry === undefined) return undefined
      if (now >= entry.until) {
        entries.delete(key)
        return undefined
      }
      entry.used = true
      return entry.value
    },
    set(key, value, until) {
      entries.delete(key)
      if (entries.size >= most) makeRoom()
      entries.set(key, { value, until, used: false })
    },
    delete: (key) => void entries.delete(key),
    get size() {
      return entries.size
    },
  }
}
