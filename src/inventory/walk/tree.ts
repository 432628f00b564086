import type { LayerFile } from '../../model/layer.ts'
import { FileTable } from '../files/table.ts'
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
  readonly #files = new FileTable()
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
      const row = this.#files.find(at)
      if (row !== undefined && this.#files.typeOf(row) !== 'directory') return at
    }
    this.#open.add(folder)
    return undefined
  }

  /** Out: the newest entry of a path that has bytes, by its own header or as another name of an entry. */
  findBytes(path: string): { index: number; sha256: string | undefined } | undefined {
    const index = this.#files.find(path)
    if (index === undefined) return undefined
    const type = this.#files.typeOf(index)
    return type === 'file' || type === 'hardlink' ? { index, sha256: this.#files.sha256Of(index) } : undefined
  }

  /** Of all names and targets so far. */
  get nameBytes(): number {
    return this.#files.nameBytes
  }

  /** Out: the index of the entry, which never changes. */
  add(file: LayerFile): number {
    const { row: index, before } = this.#files.add(file)
    if (!this.#passed.has(file.path)) return index
    const isFolder = file.type === 'directory'
    if (!isFolder) this.#cuts.set(file.path, index)
    if (!isFolder || (before !== undefined && this.#files.typeOf(before) !== 'directory')) this.#forget()
    return index
  }

  setSha256(index: number, sha256: string): void {
    this.#files.setSha256(index, sha256)
  }

  #forget(): void {
    this.#folders.clear()
    this.#open.clear()
  }

  /** Whether an entry is still there at the end: not replaced, and no ancestor of it was. */
  isLive(index: number): boolean {
    if (this.#files.isReplaced(index)) return false
    return this.#cuts.size === 0 || this.#lastCut(this.#files.folderOf(index)) < index
  }

  /** Asked once, at the end. */
  liveFiles(): FileTable {
    for (let index = 0; index < this.#files.rows; index++) if (!this.isLive(index)) this.#files.leaveOut(index)
    return this.#files
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
    const row = this.#files.find(path)
    return row !== undefined && this.#files.typeOf(row) === 'symlink' ? this.#files.linkOf(row) : undefined
  }
}
