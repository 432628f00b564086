import type { Budget } from './budget.ts'
import { Gather, takersFor } from './gather.ts'
import type { Gathered } from './gather.ts'
import type { Problems } from './problems.ts'
import type { LinkedFile } from './walk.ts'
import type { TarEntry, TarHandler } from '../tar/entry.ts'

/** A second look at a layer, only for files that a wanted path turned out to be another name of. */
export class LinkedWalk implements TarHandler {
  gathered: Gathered[] = []
  readonly #byOffset: Map<number, LinkedFile[]>
  readonly #budget: Budget
  readonly #problems: Problems
  #gathers: Gather[] = []
  #sparse = false

  constructor(linked: LinkedFile[], budget: Budget, problems: Problems) {
    this.#byOffset = Map.groupBy(linked, (file) => file.targetOffset)
    this.#budget = budget
    this.#problems = problems
  }

  /** Links whose bytes have not gone by. */
  get missing(): LinkedFile[] {
    return [...this.#byOffset.values()].flat()
  }

  entry(entry: TarEntry): void {
    this.#budget.entry()
    this.#sparse = entry.sparse
    const linked = entry.type === 'file' ? (this.#byOffset.get(entry.offset) ?? []) : []
    this.#byOffset.delete(entry.offset)
    this.#gathers = linked.flatMap((file) => this.#gatherFor(file, entry.sizeBytes))
  }

  #gatherFor(file: LinkedFile, sizeBytes: number): Gather[] {
    const able = takersFor(file.takers, file.path, sizeBytes, this.#problems)
    return able.length === 0 ? [] : [new Gather(file.path, file.index, sizeBytes, able)]
  }

  data(bytes: Buffer): void {
    if (this.#sparse) this.#budget.bytes(bytes.length)
    for (const gather of this.#gathers) gather.push(bytes)
  }

  end(): void {
    for (const gather of this.#gathers) this.gathered.push(gather.finish())
    this.#gathers = []
  }
}
