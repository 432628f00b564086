import type { Budget } from './budget.ts'
import { Gather, takersFor } from './gather.ts'
import type { Gathered } from './gather.ts'
import type { Problems } from './problems.ts'
import { finishInto, showTo } from './probing.ts'
import type { LinkedFile, ProbedEntry } from './walk.ts'
import type { TarEntry, TarHandler } from '../tar/entry.ts'

/**
 * Another look at a layer: for files that a wanted path turned out to be another name of, and for those that a probe must
 * see once more.
 */
export class LinkedWalk implements TarHandler {
  gathered: Gathered[] = []
  /** Files that probes saw again. */
  probed: ProbedEntry[] = []
  readonly #byOffset: Map<number, LinkedFile[]>
  readonly #again: Map<number, ProbedEntry>
  #current: ProbedEntry | undefined
  #at = 0
  readonly #budget: Budget
  readonly #problems: Problems
  #gathers: Gather[] = []
  #sparse = false

  constructor(linked: LinkedFile[], again: ProbedEntry[], budget: Budget, problems: Problems) {
    this.#again = new Map(again.map((file) => [file.offset, file]))
    this.#byOffset = Map.groupBy(linked, (file) => file.targetOffset)
    this.#budget = budget
    this.#problems = problems
  }

  /** Links whose bytes have not gone by. */
  get missing(): { path: string }[] {
    return [...[...this.#byOffset.values()].flat(), ...this.#again.values()]
  }

  entry(entry: TarEntry): void {
    this.#budget.entry(entry.name)
    this.#sparse = entry.sparse
    const linked = entry.type === 'file' ? (this.#byOffset.get(entry.offset) ?? []) : []
    this.#byOffset.delete(entry.offset)
    this.#gathers = linked.flatMap((file) => this.#gatherFor(file, entry.sizeBytes))
    const again = entry.type === 'file' ? this.#again.get(entry.offset) : undefined
    this.#again.delete(entry.offset)
    this.#current = again && { ...again, facts: [], again: [...again.again] }
    this.#at = 0
  }

  #gatherFor(file: LinkedFile, sizeBytes: number): Gather[] {
    const able = takersFor(file.takers, file.path, sizeBytes, this.#problems)
    return able.length === 0 ? [] : [new Gather(file.path, file.index, sizeBytes, able)]
  }

  data(bytes: Buffer): void {
    if (this.#sparse) this.#budget.bytes(bytes.length)
    for (const gather of this.#gathers) gather.push(bytes)
    if (this.#current === undefined) return
    showTo(this.#current.again, bytes, this.#at, this.#current.facts)
    this.#at += bytes.length
  }

  end(): void {
    for (const gather of this.#gathers) this.gathered.push(gather.finish())
    this.#gathers = []
    if (this.#current !== undefined) this.probed.push(finished(this.#current))
    this.#current = undefined
  }
}

function finished(file: ProbedEntry): ProbedEntry {
  const again = file.again.flatMap(({ name, probe }) => {
    const next = finishInto(name, probe, file.facts)
    return next === undefined ? [] : [{ name, probe: next }]
  })
  return { ...file, again }
}
