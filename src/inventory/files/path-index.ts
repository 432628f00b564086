import { baseOf, joinPath, parentOf } from '../tar/paths.ts'
import { NumberColumn } from './columns.ts'
import { hashOf } from './hash.ts'
import { Names } from './names.ts'

/**
 * Path → row, and row → path. Each folder is kept once, as a string; of a path itself only its last part, as bytes. Rows
 * are added in turn, from 0.
 */
export class PathIndex {
  readonly #folders: string[] = []
  readonly #folderIds = new Map<string, number>()
  #folderBytes = 0
  #lastFolder = ''
  #lastFolderId: number | undefined
  readonly #folderOf = new NumberColumn()
  readonly #startOf = new NumberColumn()
  readonly #names = new Names()
  /** Row + 1 by hash, the next free place where that is taken; 0 is free. */
  #slots = new Uint32Array(1 << 10)
  #rows = 0
  #taken = 0
  #scratch = Buffer.allocUnsafeSlow(4096)

  /** Of all names, in bytes. */
  get sizeBytes(): number {
    return this.#names.sizeBytes + this.#folderBytes
  }

  /** In: a path, and what is kept with it. Out: the row that had the path before. The newest row of a path is the one that is found. */
  add(path: string, text?: string): number | undefined {
    const folder = this.#folderId(parentOf(path)) ?? this.#addFolder(parentOf(path))
    const length = this.#encode(baseOf(path))
    const slot = this.#slotOf(folder, length)
    const before = this.#slots[slot] as number
    const row = this.#rows++
    this.#folderOf.set(row, folder)
    this.#startOf.set(row, this.#names.add(this.#scratch, length, text))
    this.#slots[slot] = row + 1
    if (before !== 0) return before - 1
    if (++this.#taken * 4 > this.#slots.length * 3) this.#grow()
    return undefined
  }

  find(path: string): number | undefined {
    const folder = this.#folderId(parentOf(path))
    if (folder === undefined) return undefined
    const row = this.#slots[this.#slotOf(folder, this.#encode(baseOf(path)))] as number
    return row === 0 ? undefined : row - 1
  }

  folderOf(row: number): string {
    return this.#folders[this.#folderOf.get(row)] as string
  }

  pathOf(row: number): string {
    return joinPath(this.folderOf(row), this.#names.first(this.#startOf.get(row)))
  }

  /** Only of a row that was added with a text. */
  textOf(row: number): string {
    return this.#names.second(this.#startOf.get(row))
  }

  #folderId(folder: string): number | undefined {
    if (this.#lastFolderId !== undefined && folder === this.#lastFolder) return this.#lastFolderId
    const id = this.#folderIds.get(folder)
    if (id === undefined) return undefined
    this.#lastFolder = folder
    this.#lastFolderId = id
    return id
  }

  #addFolder(folder: string): number {
    const id = this.#folders.push(folder) - 1
    this.#folderIds.set(folder, id)
    this.#folderBytes += folder.length
    return id
  }

  /** Out: how many bytes of the scratch are the name. */
  #encode(name: string): number {
    if (name.length * 3 > this.#scratch.length) this.#scratch = Buffer.allocUnsafeSlow(name.length * 3)
    const { length } = name
    for (let at = 0; at < length; at++) {
      const code = name.charCodeAt(at)
      if (code > 0x7f) return this.#scratch.write(name, 0, 'utf8')
      this.#scratch[at] = code
    }
    return length
  }

  #slotOf(folder: number, length: number): number {
    const mask = this.#slots.length - 1
    let slot = hashOf(this.#scratch, length, folder) & mask
    for (; ; slot = (slot + 1) & mask) {
      const row = this.#slots[slot] as number
      if (row === 0) return slot
      if (this.#folderOf.get(row - 1) === folder && this.#names.equals(this.#startOf.get(row - 1), this.#scratch, length)) return slot
    }
  }

  #grow(): void {
    const before = this.#slots
    this.#slots = new Uint32Array(before.length * 2)
    for (const row of before) {
      if (row === 0) continue
      const start = this.#startOf.get(row - 1)
      const length = this.#names.copy(start, this.#scratch)
      this.#slots[this.#slotOf(this.#folderOf.get(row - 1), length)] = row
    }
  }
}
