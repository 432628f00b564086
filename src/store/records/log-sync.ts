import { open, type FileHandle } from 'node:fs/promises'
import { LazaretError, messageOf } from '../../kit/errors.ts'

const laterMs = 500

/** Makes commits last: SQLite has written them to its log, and this syncs the log to disk beside what else runs. */
export interface LogSync {
  /** To call after each commit. Where nobody asks for its sync within half a second, it is synced then. */
  committed(): void
  /** Out: when everything committed before the call is on disk. Rejects where it may not be, then and for ever after. */
  synced(): Promise<void>
  /** Why nothing is acknowledged any more; then nothing more is to be committed either. */
  problem(): LazaretError | undefined
  close(): Promise<void>
}

/**
 * In: the write-ahead log of a database that stays open, so that the file, which the first commit makes, stays the same one.
 * Whoever calls while a sync is under way shares the next one.
 */
export function createLogSync(path: string): LogSync {
  let file: FileHandle | undefined
  let running = Promise.resolve()
  let next: Promise<void> | undefined
  let broken: LazaretError | undefined
  let commits = 0
  let covered = 0
  let later: NodeJS.Timeout | undefined

  async function sync(after: Promise<void>): Promise<void> {
    await after
    next = undefined // who comes from here on may have committed after the sync has begun
    if (broken !== undefined) throw broken
    if (covered === commits) return
    clearTimeout(later)
    later = undefined
    covered = commits
    try {
      file ??= await open(path, 'r+')
      await file.datasync()
    } catch (cause) {
      // The kernel tells of a lost page once, and of the next sync nothing can be concluded.
      // Without its cause: a full disk here is not one before the commit, after which nothing was stored.
      broken = new LazaretError(
        'UNAVAILABLE',
        `the records were not synced to disk (${messageOf(cause)}): look at the disk, then start anew`,
      )
      throw broken
    }
  }

  function synced(): Promise<void> {
    if (next === undefined) {
      next = sync(running)
      running = next.catch(() => undefined) // told to each who waits for it, and to all who write from then on
    }
    return next
  }

  function syncUnasked(): void {
    synced().catch(() => undefined)
  }

  return {
    committed() {
      commits++
      later ??= setTimeout(syncUnasked, laterMs).unref()
    },
    problem: () => broken,
    synced,
    async close() {
      clearTimeout(later)
      await running
      await file?.close()
    },
  }
}
