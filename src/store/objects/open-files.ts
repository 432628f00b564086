import { fstatSync } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'

/** A file to read from, shared with others who read it. */
export interface OpenFile {
  /** Bytes on disk when it was asked for. */
  readonly size: number
  read(buffer: Buffer, offset: number, length: number, position: number): Promise<{ bytesRead: number }>
  /** When nothing is read any more; more than once is once. */
  close(): Promise<void>
}

export interface OpenFiles {
  /** Throws what `open` throws (ENOENT …), also for a file that is open and was removed. */
  open(path: string): Promise<OpenFile>
  /** It will be removed: it closes with its last user, and its room on the disk is free then. */
  forget(path: string): Promise<void>
  /** None is kept open from now on; those in use close with their last user. */
  close(): Promise<void>
}

interface Held {
  path: string
  file: FileHandle
  users: number
  /** When it was asked for, ms of a clock that only goes forward. */
  used: number
  kept: boolean
}

/** A layer that many nodes pull, and one that is fetched in ranges, is opened once: to open and close costs more than a read. */
const mostKept = 64
const idleMs = 3000

export function createOpenFiles(): OpenFiles {
  /** By path, the one that was asked for last at the end. */
  const kept = new Map<string, Held>()
  let sweeper: NodeJS.Timeout | undefined
  let ended = false

  function keep(held: Held): void {
    if (ended || kept.has(held.path)) return
    held.kept = true
    kept.set(held.path, held)
    sweeper ??= setInterval(() => sweep(performance.now() - idleMs), idleMs).unref()
    if (kept.size > mostKept) for (const first of kept.values()) return letGoUnseen(first)
  }

  /** Lets go of what nobody asked for since. */
  function sweep(since: number): void {
    for (const held of kept.values()) if (held.users === 0 && held.used < since) letGoUnseen(held)
    if (kept.size > 0) return
    clearInterval(sweeper)
    sweeper = undefined
  }

  async function letGo(held: Held): Promise<void> {
    held.kept = false
    kept.delete(held.path)
    if (held.users === 0) await held.file.close()
  }

  /** A file that was only read loses nothing where closing it fails, and is closed then too. */
  function letGoUnseen(held: Held): void {
    letGo(held).catch(() => undefined)
  }

  /** Out: it, where it is open and its file is still there. The inode of an open file is in memory: asking for it waits for no disk. */
  function keptOpen(path: string): OpenFile | undefined {
    const held = kept.get(path)
    if (held === undefined) return undefined
    const { nlink, size } = fstatSync(held.file.fd)
    if (nlink === 0) {
      letGoUnseen(held)
      return undefined
    }
    kept.delete(path)
    kept.set(path, held)
    return lend(held, size)
  }

  function lend(held: Held, size: number): OpenFile {
    held.users++
    held.used = performance.now()
    let lent = true
    return {
      size,
      read: (buffer, offset, length, position) => held.file.read(buffer, offset, length, position),
      async close() {
        if (!lent) return
        lent = false
        held.users--
        if (held.users === 0 && !held.kept) await held.file.close()
      },
    }
  }

  async function openAnew(path: string): Promise<OpenFile> {
    const file = await open(path, 'r')
    try {
      const held = { path, file, users: 0, used: 0, kept: false }
      const lent = lend(held, fstatSync(file.fd).size)
      keep(held)
      return lent
    } catch (error) {
      await file.close()
      throw error
    }
  }

  return {
    open: async (path) => keptOpen(path) ?? openAnew(path),
    async forget(path) {
      const held = kept.get(path)
      if (held !== undefined) await letGo(held)
    },
    async close() {
      ended = true
      clearInterval(sweeper)
      await Promise.all([...kept.values()].map(letGo))
    },
  }
}
