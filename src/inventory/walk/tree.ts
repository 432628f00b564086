import type { LayerFile } from '../../model/layer.ts'
import { followLinks } from '../tar/links.ts'
import { baseOf, joinPath, parentOf } from '../tar/paths.ts'

/**
 * The files of one layer as they stand after each entry was unpacked in turn: a later entry takes the place of an
 * earlier one, a file in the place of a folder takes the folder's content with it, and a parent that is a symbolic link
 * of this layer is followed inside the root, never out of it.
 *
 * Lower layers are not looked at: overlay drivers unpack a layer into a folder of its own.
 */
export class LayerTree {
  /** In the order of the archive, replaced ones among them. */
  readonly #files: LayerFile[] = []
  readonly #byPath = new Map<string, number>()
  /** Folder as spelled → folder as it is. A cache: emptied when a link or a folder on the way changes. */
  readonly #folders = new Map<string, string>()
  /** Folders that nothing stands in the way of. A cache, emptied with the other. */
  readonly #open = new Set<string>()
  /** Every path that was passed as a folder, or as a link to one. Never emptied. */
  readonly #passed = new Set<string>()
  /** Path of something that is no folder and took a folder's place → index of that entry. */
  readonly #cuts = new Map<string, number>()
  readonly #lastCuts = new Map<string, number>()

  /** In: a folder as an entry spells it. Out: the same with symbolic links followed. Throws a RangeError on a loop. */
  resolveFolder(folder: string): string {
    if (folder === '') return ''
    const known = this.#folders.get(folder)
    if (known !== undefined) return known
    const next = joinPath(this.resolveFolder(parentOf(folder)), baseOf(folder))
    this.#passed.add(next)
    const resolved = this.#linkAt(next) === undefined ? next : this.#follow(next)
    this.#folders.set(folder, resolved)
    return resolved
  }

  /** The nearest ancestor that is neither a folder nor a link to one: a runtime can't create `path` below it. */
  blockerOf(path: string): string | undefined {
    const folder = parentOf(path)
    if (this.#open.has(folder)) return undefined
    for (let at = folder; at !== ''; at = parentOf(at)) {
      // A folder that is known may have gone with one above it, in whose place a file stands now: look up to the root.
      const file = this.get(at)
      if (file !== undefined && file.type !== 'directory') return at
    }
    this.#open.add(folder)
    return undefined
  }

  get(path: string): LayerFile | undefined {
    const index = this.#byPath.get(path)
    return index === undefined ? undefined : this.#files[index]
  }

  indexOf(path: string): number | undefined {
    return this.#byPath.get(path)
  }

  /** Out: the index of the entry, which never changes. */
  add(file: LayerFile): number {
    const index = this.#files.push(file) - 1
    const before = this.get(file.path)
    this.#byPath.set(file.path, index)
    if (!this.#passed.has(file.path)) return index
    const isFolder = file.type === 'directory'
    if (!isFolder) this.#cuts.set(file.path, index)
    if (!isFolder || (before !== undefined && before.type !== 'directory')) this.#forget()
    return index
  }

  #forget(): void {
    this.#folders.clear()
    this.#open.clear()
  }

  /** Whether an entry is still there at the end: not replaced, and no ancestor of it was. */
  isLive(index: number): boolean {
    const file = this.#files[index]
    if (file === undefined || this.#byPath.get(file.path) !== index) return false
    return this.#cuts.size === 0 || this.#lastCut(parentOf(file.path)) < index
  }

  liveFiles(): LayerFile[] {
    return this.#files.filter((_, index) => this.isLive(index))
  }

  /** The last entry that cut this folder or one above it. Asked only after the last `add`. */
  #lastCut(folder: string): number {
    if (folder === '') return -1
    const known = this.#lastCuts.get(folder)
    if (known !== undefined) return known
    const last = Math.max(this.#cuts.get(folder) ?? -1, this.#lastCut(parentOf(folder)))
    this.#lastCuts.set(folder, last)
    return last
  }

  #follow(folder: string): string {
    return followLinks(folder, (path) => (this.#passed.add(path), this.#linkAt(path)))
  }

  #linkAt(path: string): string | undefined {
    const file = this.get(path)
    return file?.type === 'symlink' ? file.link : undefined
  }
}
