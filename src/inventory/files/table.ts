import type { LayerFile, LayerFiles, LayerOutline } from '../../model/layer.ts'
import { AttributeColumns } from './attributes.ts'
import { ByteColumn } from './columns.ts'
import { HashColumn } from './hashes.ts'
import { PathIndex } from './path-index.ts'

type FileType = LayerFile['type']

const types: readonly FileType[] = ['file', 'directory', 'symlink', 'hardlink', 'character', 'block', 'fifo']
const codes = new Map(types.map((type, code) => [type, code]))
const typeBits = 0x07
const hashed = 0x08
const replaced = 0x10
const left = 0x20
const linked = 0x40

/**
 * The files of a layer in columns, some 70 bytes and its own name each: as objects they take four times the room, and the
 * collector of garbage walks over them again and again. Rows are numbered in the order in which they were added.
 */
export class FileTable implements LayerFiles {
  readonly #paths = new PathIndex()
  readonly #attributes = new AttributeColumns()
  readonly #flags = new ByteColumn()
  readonly #hashes = new HashColumn()
  #rows = 0
  #left = 0

  static of(files: Iterable<LayerFile>): FileTable {
    const table = new FileTable()
    for (const file of files) table.add(file)
    return table
  }

  /** Of those that were not left out. */
  get length(): number {
    return this.#rows - this.#left
  }

  /** All rows, those among them that were left out. */
  get rows(): number {
    return this.#rows
  }

  /** Of all names and targets, in bytes. */
  get nameBytes(): number {
    return this.#paths.sizeBytes
  }

  /** Out: the row, and the one that it takes the place of. Throws a RangeError where a name has more than a megabyte. */
  add(file: LayerFile): { row: number; before: number | undefined } {
    const row = this.#rows
    const before = this.#paths.add(file.path, file.link)
    this.#rows++
    this.#attributes.add(file)
    this.#mark(row, codes.get(file.type) as number)
    if (file.link !== undefined) this.#mark(row, linked)
    if (before !== undefined) this.#mark(before, replaced)
    if (file.sha256 !== undefined) this.setSha256(row, file.sha256)
    return { row, before }
  }

  /** In: the row that was added last, or one with none that came after it and has a hash; lower-case hex. */
  setSha256(row: number, sha256: string): void {
    this.#hashes.set(row, sha256)
    this.#mark(row, hashed)
  }

  /** Out: the newest row of a path. */
  find(path: string): number | undefined {
    return this.#paths.find(path)
  }

  typeOf(row: number): FileType {
    return types[this.#flagsOf(row) & typeBits] as FileType
  }

  linkOf(row: number): string | undefined {
    return (this.#flagsOf(row) & linked) === 0 ? undefined : this.#paths.textOf(row)
  }

  sha256Of(row: number): string | undefined {
    return (this.#flagsOf(row) & hashed) === 0 ? undefined : this.#hashes.get(row)
  }

  folderOf(row: number): string {
    return this.#paths.folderOf(row)
  }

  /** Whether a later row has the same path. */
  isReplaced(row: number): boolean {
    return (this.#flagsOf(row) & replaced) !== 0
  }

  /** From now on the row is not among the files; its number stays. */
  leaveOut(row: number): void {
    if ((this.#flagsOf(row) & left) === 0) this.#left++
    this.#mark(row, left)
  }

  *[Symbol.iterator](): Generator<LayerFile> {
    for (const row of this.#kept()) yield this.#fileOf(row)
  }

  /** The same without what most never ask for, and which is dear to spell out. */
  *outlines(): Generator<LayerOutline> {
    for (const row of this.#kept()) {
      const type = this.typeOf(row)
      const outline: LayerOutline = { path: this.#paths.pathOf(row), type, sizeBytes: this.#attributes.sizeOf(row) }
      const link = this.linkOf(row)
      if (link !== undefined) outline.link = link
      yield outline
    }
  }

  /** As an array of the same files would be written. */
  toJSON(): LayerFile[] {
    return [...this]
  }

  *#kept(): Generator<number> {
    for (let row = 0; row < this.#rows; row++) if ((this.#flagsOf(row) & left) === 0) yield row
  }

  #fileOf(row: number): LayerFile {
    const type = this.typeOf(row)
    const link = this.linkOf(row)
    const sha256 = this.sha256Of(row)
    return {
      path: this.#paths.pathOf(row),
      type,
      ...this.#attributes.get(row),
      ...(link !== undefined && { link }),
      ...(sha256 !== undefined && { sha256 }),
    }
  }

  #flagsOf(row: number): number {
    return this.#flags.get(row)
  }

  #mark(row: number, flag: number): void {
    this.#flags.set(row, this.#flags.get(row) | flag)
  }
}

/** In: files of a layer, in columns or not. Out: what most ask of them. */
export function outlinesOf(files: LayerFiles): Iterable<LayerOutline> {
  return files instanceof FileTable ? files.outlines() : files
}
