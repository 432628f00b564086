import { LazaretError, messageOf } from '../../kit/errors.ts'
import type { LayerFile } from '../../model/layer.ts'
import type { Extractor } from '../extractor.ts'
import type { LayerLimits } from '../limits.ts'
import { NumberColumn } from '../files/columns.ts'
import type { TarEntry, TarHandler } from '../tar/entry.ts'
import { blockBytes } from '../tar/header.ts'
import { baseOf, depthOf, joinPath, normalisePath, parentOf } from '../tar/paths.ts'
import { shownName } from '../tar/text.ts'
import type { Budget } from './budget.ts'
import type { Alias } from './facts.ts'
import { Gather, takersFor } from './gather.ts'
import type { Gathered } from './gather.ts'
import { Hasher } from './hasher.ts'
import { Probing } from './probing.ts'
import type { ProbedFile } from './probing.ts'
import type { Problems } from './problems.ts'
import { LayerTree } from './tree.ts'
import { parseWhiteout } from './whiteout.ts'

/** A wanted path that is a hard link: the bytes are those of an entry that went by. */
export interface LinkedFile {
  /** Of the link's own entry. */
  index: number
  path: string
  takers: Extractor[]
  /** Where the header of the file that has the bytes starts in the tar. */
  targetOffset: number
}

/** A file that probes looked at. */
export interface ProbedEntry extends ProbedFile {
  index: number
  path: string
  sizeBytes: number
  /** Where its header starts in the tar. */
  offset: number
}

/** Turns the entries of a layer into files, whiteouts and wanted bytes. One layer, one walk. */
export class LayerWalk implements TarHandler {
  readonly tree = new LayerTree()
  readonly whiteouts = new Set<string>()
  readonly opaque = new Set<string>()
  readonly linked: LinkedFile[] = []
  /** Files whose bytes are complete and that no extractor has seen yet: take them after each push. */
  gathered: Gathered[] = []
  /** The same for files that were probed. */
  probed: ProbedEntry[] = []
  /** Hard links to files that were probed. */
  readonly aliases: Alias[] = []
  readonly #extractors: readonly Extractor[]
  readonly #limits: LayerLimits
  readonly #budget: Budget
  readonly #problems: Problems
  readonly #hasher = new Hasher()
  readonly #probing: Probing
  /** Offsets of files that were probed → their index. */
  readonly #probedAt = new Map<number, number>()
  /** By index, in blocks: where the entry starts; for a hard link, where the file does that has the bytes. */
  readonly #blocks = new NumberColumn()
  #whiteoutBytes = 0
  #current: LayerFile | undefined
  #currentIndex = 0
  #gather: Gather | undefined
  #sparse = false

  constructor(extractors: readonly Extractor[], limits: LayerLimits, budget: Budget, problems: Problems) {
    this.#extractors = extractors
    this.#limits = limits
    this.#budget = budget
    this.#problems = problems
    this.#probing = new Probing(extractors)
  }

  entry(entry: TarEntry): void {
    this.#budget.entry(entry.name)
    this.#current = undefined
    this.#gather = undefined
    this.#sparse = entry.sparse
    const path = this.#resolve(entry, entry.name)
    if (path === undefined || path === '') return
    if (this.#isWhiteout(path)) return
    const file = this.#fileOf(entry, path)
    if (file === undefined) return
    const blocker = this.tree.blockerOf(path)
    if (blocker !== undefined) return this.#problems.add(path, `lies below ${blocker}, which is no folder`)
    this.#add(file, entry.offset)
  }

  data(bytes: Buffer): void {
    if (this.#sparse) this.#budget.bytes(bytes.length)
    if (this.#current === undefined) return
    this.#hasher.update(bytes)
    this.#gather?.push(bytes)
    this.#probing.push(bytes)
  }

  end(): void {
    if (this.#current?.type === 'file') this.#endFile(this.#current)
    if (this.#gather !== undefined) this.gathered.push(this.#gather.finish())
    this.#current = undefined
    this.#gather = undefined
  }

  #endFile(file: LayerFile): void {
    this.tree.setSha256(this.#currentIndex, this.#hasher.finish())
    const probed = this.#probing.end()
    if (probed === undefined || (probed.facts.length === 0 && probed.again.length === 0)) return
    const offset = this.#blocks.get(this.#currentIndex) * blockBytes
    this.#probedAt.set(offset, this.#currentIndex)
    this.probed.push({ ...probed, index: this.#currentIndex, path: file.path, sizeBytes: file.sizeBytes, offset })
  }

  #add(file: LayerFile, offset: number): void {
    const target = file.type === 'hardlink' ? this.#targetOf(file) : undefined
    const index = this.tree.add(file)
    this.#budget.names(this.tree.nameBytes + this.#whiteoutBytes)
    this.#blocks.set(index, (target ?? offset) / blockBytes)
    this.#current = file
    this.#currentIndex = index
    this.#hasher.start(file.sizeBytes)
    if (file.type === 'file') this.#probing.start(file.path, file.sizeBytes)
    const probed = target === undefined ? undefined : this.#probedAt.get(target)
    if (probed !== undefined) this.aliases.push({ index, path: file.path, target: probed })
    const takers = this.#takersOf(file.path)
    if (takers.length === 0) return
    if (file.type === 'file') this.#gather = this.#gatherFor(file, index, takers)
    else if (file.type === 'hardlink') this.#addLinked(file, index, takers, target)
  }

  /** A hard link is another name of a file that went by: it has that file's hash. Out: where that file starts. */
  #targetOf(file: LayerFile): number | undefined {
    const target = this.tree.findBytes(file.link ?? '')
    if (target === undefined) return undefined
    if (target.sha256 !== undefined) file.sha256 = target.sha256
    return this.#blocks.get(target.index) * blockBytes
  }

  #addLinked(file: LayerFile, index: number, takers: Extractor[], targetOffset: number | undefined): void {
    if (targetOffset !== undefined) this.linked.push({ index, path: file.path, takers, targetOffset })
    else this.#problems.add(file.path, `is a hard link to ${file.link ?? ''}, which this layer does not hold as a file`)
  }

  #gatherFor(file: LayerFile, index: number, takers: Extractor[]): Gather | undefined {
    const able = takersFor(takers, file.path, file.sizeBytes, this.#problems)
    return able.length === 0 ? undefined : new Gather(file.path, index, file.sizeBytes, able)
  }

  #takersOf(path: string): Extractor[] {
    let takers: Extractor[] | undefined
    for (const extractor of this.#extractors) if (extractor.wants(path)) (takers ??= []).push(extractor)
    return takers ?? []
  }

  #isWhiteout(path: string): boolean {
    const whiteout = parseWhiteout(baseOf(path))
    if (whiteout === undefined) return false
    this.#budget.names(this.tree.nameBytes + (this.#whiteoutBytes += path.length))
    if (whiteout.kind === 'whiteout') this.whiteouts.add(joinPath(parentOf(path), whiteout.name))
    if (whiteout.kind === 'opaque') this.opaque.add(parentOf(path))
    if (whiteout.kind === 'invalid') this.#problems.add(path, 'is no valid name for a whiteout')
    return true
  }

  #fileOf(entry: TarEntry, path: string): LayerFile | undefined {
    const { type, mode, uid, gid, mtime } = entry
    if (type === 'unknown') {
      this.#problems.add(path, `is an entry of the unknown type ${JSON.stringify(entry.flag)}`)
      return undefined
    }
    const file: LayerFile = { path, type, mode: mode & 0o7777, uid, gid, sizeBytes: entry.sizeBytes, mtime }
    if (type === 'symlink') file.link = this.#checkLength(entry.linkName, entry.offset)
    if (type === 'hardlink') file.link = this.#resolve(entry, entry.linkName) ?? ''
    return file
  }

  /** In: a name of the entry. Out: the path inside the root; undefined, with a problem, where links go in circles. */
  #resolve(entry: TarEntry, name: string): string | undefined {
    const path = normalisePath(this.#checkLength(name, entry.offset))
    if (depthOf(path) > this.#limits.pathDepth)
      throw new LazaretError(
        'LIMIT_EXCEEDED',
        `the entry at byte ${entry.offset} is more than ${this.#limits.pathDepth} folders deep: ${shownName(name)}`,
      )
    try {
      return joinPath(this.tree.resolveFolder(parentOf(path)), baseOf(path))
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      this.#problems.add(path, messageOf(error))
      return undefined
    }
  }

  #checkLength(name: string, offset: number): string {
    const { pathBytes } = this.#limits
    if (name.length * 3 > pathBytes && Buffer.byteLength(name) > pathBytes) {
      throw new LazaretError(
        'LIMIT_EXCEEDED',
        `the entry at byte ${offset} has a path or target of more than ${pathBytes} bytes: ${shownName(name)}`,
      )
    }
    return name
  }
}
