/** In which layers a thing was said, for as long as it has been said without a break. */
export class Continuity {
  readonly #count = new Map<string, number>()
  readonly #layers = new Map<string, number[]>()
  readonly #touched = new Set<string>()

  remove(key: string): void {
    this.#count.set(key, (this.#count.get(key) ?? 0) - 1)
    this.#touched.add(key)
  }

  add(key: string, layer: number): void {
    this.#count.set(key, (this.#count.get(key) ?? 0) + 1)
    const layers = this.#layers.get(key)
    if (layers === undefined) this.#layers.set(key, [layer])
    else if (layers.at(-1) !== layer) layers.push(layer)
  }

  /** At the end of each layer: what was removed and not said again there is forgotten. */
  settle(): void {
    for (const key of this.#touched) {
      if ((this.#count.get(key) ?? 0) > 0) continue
      this.#count.delete(key)
      this.#layers.delete(key)
    }
    this.#touched.clear()
  }

  /** Out: the layers in which it was written, the first of them the one that brought it. */
  layersOf(key: string): readonly number[] {
    return this.#layers.get(key) ?? []
  }
}
