import type { LayerFacts } from '../../model/layer.ts'
import { outlinesOf } from '../files/table.ts'
import { parentOf } from '../tar/paths.ts'

/**
 * What layers above hide from those below. Add a layer after its own files were asked for: its whiteouts are meant for
 * lower layers only. OCI image-spec, layer.md, "Applying Changesets".
 */
export class Mask {
  /** Only these paths will be asked for; all where it is undefined. With each path, its ancestors. */
  readonly #interest: ReadonlySet<string> | undefined
  /** Paths that a layer above has or removed. */
  readonly #taken = new Set<string>()
  /** Folders that hold something above, named there or not: they take the place of a file below, not of a folder. */
  readonly #folders = new Set<string>()
  /** Folders of which nothing below shows: removed, opaque, or replaced by something that is no folder. */
  readonly #cut = new Set<string>()
  /** Folder → whether it or a folder above it is cut. Good until the next layer is added. */
  readonly #hidden = new Map<string, boolean>()

  constructor(interest?: ReadonlySet<string>) {
    this.#interest = interest
  }

  get isEmpty(): boolean {
    return this.#taken.size === 0 && this.#cut.size === 0 && this.#folders.size === 0
  }

  hides(path: string, isFolder: boolean): boolean {
    return this.#taken.has(path) || (!isFolder && this.#folders.has(path)) || this.#hidesFolder(parentOf(path))
  }

  add(layer: LayerFacts): void {
    for (const path of layer.whiteouts) this.#take(path, true)
    for (const path of layer.opaque) if (this.#cares(path)) this.#cut.add(path)
    let folder = ''
    for (const { path, type } of outlinesOf(layer.files)) {
      this.#take(path, type !== 'directory')
      const parent = parentOf(path)
      if (parent !== folder) this.#addFolders(parent)
      folder = parent
    }
    this.#hidden.clear()
  }

  #take(path: string, cuts: boolean): void {
    if (!this.#cares(path)) return
    this.#taken.add(path)
    if (cuts) this.#cut.add(path)
  }

  #addFolders(folder: string): void {
    for (let at = folder; at !== '' && !this.#folders.has(at); at = parentOf(at)) if (this.#cares(at)) this.#folders.add(at)
  }

  #cares(path: string): boolean {
    return this.#interest === undefined || this.#interest.has(path)
  }

  #hidesFolder(folder: string): boolean {
    const known = this.#hidden.get(folder)
    if (known !== undefined) return known
    const hidden = this.#cut.has(folder) || (folder !== '' && this.#hidesFolder(parentOf(folder)))
    this.#hidden.set(folder, hidden)
    return hidden
  }
}
