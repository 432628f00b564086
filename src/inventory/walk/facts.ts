import { setImmediate } from 'node:timers/promises'
import { LazaretError, messageOf } from '../../kit/errors.ts'
import type { FoundManifest, FoundOwnership, FoundPackage, FoundRelease, Unsupported } from '../../model/layer.ts'
import type { Extractor, Fact, WantedFile } from '../extractor.ts'
import type { Budget } from './budget.ts'
import type { Gathered } from './gather.ts'
import { Groups } from './groups.ts'
import type { Problems } from './problems.ts'

export interface LayerFindings {
  packages: FoundPackage[]
  ownership: FoundOwnership[]
  manifests: FoundManifest[]
  releases: FoundRelease[]
  unsupported: Unsupported[]
}

/** A hard link, and the entry that has the bytes. */
export interface Alias {
  index: number
  path: string
  /** Index of that entry. */
  target: number
}

/** Between two looks at the clock and the signal: some milliseconds of work. */
const factsPerTurn = 5000

/** Runs extractors over gathered files and keeps what they say, by the entry that said it. */
export class FactStore {
  readonly #byIndex = new Map<number, { path: string; facts: Fact[] }>()
  /** What probes said, by entry: told again of each other name of the file. */
  readonly #probed = new Map<number, Fact[]>()
  readonly #groups = new Groups()
  readonly #budget: Budget
  readonly #problems: Problems
  readonly #signal: AbortSignal | undefined
  #sinceTurn = 0

  constructor(budget: Budget, problems: Problems, signal: AbortSignal | undefined) {
    this.#budget = budget
    this.#problems = problems
    this.#signal = signal
  }

  /** Throws what the budget throws and the signal's reason; what an extractor throws becomes a problem of the file. */
  async extract(gathered: Gathered): Promise<void> {
    let waits = false
    try {
      for (const taker of gathered.takers) {
        const leader = taker.groupOf?.(gathered.file.path)
        if (leader === undefined) await this.#extractBy(taker, gathered, [])
        else this.#groups.hold(taker, leader, gathered)
        waits ||= leader !== undefined
      }
    } finally {
      if (!waits) gathered.release()
    }
  }

  /** At the layer's end: what waited for others of its group. Throws as `extract` does. */
  async extractGroups(isLive: (index: number) => boolean): Promise<void> {
    try {
      for (const { taker, first, beside } of this.#groups.take(isLive)) await this.#extractBy(taker, first, beside)
    } finally {
      this.#groups.release()
    }
  }

  async #extractBy(taker: Extractor, { file, index }: Gathered, beside: WantedFile[]): Promise<void> {
    try {
      await this.#run(taker, file, beside, index)
    } catch (error) {
      if (this.#signal?.aborted === true || (error instanceof LazaretError && error.code === 'LIMIT_EXCEEDED') || isOurs(error)) throw error
      this.#problems.add(file.path, `${taker.name}: ${messageOf(error)}`)
    }
  }

  /** Keeps what probes said of an entry. Throws what the budget throws. */
  keep(index: number, path: string, facts: readonly Fact[]): void {
    this.#probed.set(index, [...(this.#probed.get(index) ?? []), ...facts])
    for (const fact of facts) this.#take(fact, path, index)
  }

  /** An entry that is another name of one that was probed: the bytes say the same of it. Throws what the budget throws. */
  alias({ index, path, target }: Alias): void {
    for (const fact of this.#probed.get(target) ?? []) this.#take(fact, path, index)
  }

  /** What still stands: `isLive` says whether an entry was not replaced within its layer. */
  findings(isLive: (index: number) => boolean): LayerFindings {
    const findings: LayerFindings = { packages: [], ownership: [], manifests: [], releases: [], unsupported: [] }
    for (const [index, { path, facts }] of this.#byIndex) {
      if (!isLive(index)) continue
      for (const fact of facts) keep(findings, path, fact)
    }
    return findings
  }

  async #run(taker: Extractor, file: WantedFile, beside: WantedFile[], index: number): Promise<void> {
    const found = taker.extract(file, beside)
    if (Symbol.asyncIterator in found) {
      for await (const fact of found) {
        this.#take(fact, file.path, index)
        this.#signal?.throwIfAborted()
      }
      return
    }
    for (const fact of found) {
      this.#take(fact, file.path, index)
      if (++this.#sinceTurn % factsPerTurn !== 0) continue
      await setImmediate()
      this.#signal?.throwIfAborted()
    }
  }

  #take(fact: Fact, path: string, index: number): void {
    if ('problem' in fact) return this.#problems.add(path, fact.problem)
    if ('package' in fact || 'unsupported' in fact) this.#budget.package()
    if ('package' in fact && fact.package.ownedFiles !== undefined) this.#budget.ownedFiles(fact.package.ownedFiles.length)
    if ('owns' in fact) this.#budget.ownedFiles(fact.owns.paths.length)
    const entry = this.#byIndex.get(index)
    if (entry === undefined) this.#byIndex.set(index, { path, facts: [fact] })
    else entry.facts.push(fact)
  }
}

/** A full disk or the like, where bytes were laid down: it says nothing of the image. */
function isOurs(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error
}

function keep(findings: LayerFindings, location: string, fact: Fact): void {
  if ('package' in fact) findings.packages.push({ location, package: fact.package })
  else if ('release' in fact) findings.releases.push({ location, release: fact.release })
  else if ('owns' in fact) findings.ownership.push({ location, ...fact.owns })
  else if ('manifest' in fact) findings.manifests.push({ location, ...fact.manifest })
  else if ('unsupported' in fact) findings.unsupported.push({ path: location, ...fact.unsupported })
}
