import { statfs } from 'node:fs/promises'
import { LazaretError, messageOf } from './errors.ts'
import type { Log } from './log.ts'

export interface Room {
  folder: string
  /** For who is not root. */
  freeBytes: number
  totalBytes: number
  /** With less than this left, nothing is taken in. */
  lowWaterBytes: number
}

/** Knows how much room the volumes have, by a look every few seconds, so that asking costs nothing. */
export interface DiskWatch {
  start(): void
  stop(): void
  /** Looks now. Never throws: what can't be seen is said in the log, and what was seen last stands. */
  look(): Promise<void>
  /** As last seen; empty before the first look. */
  rooms(): readonly Room[]
  /** The volume that is below its mark, else undefined. */
  low(): Room | undefined
  /**
   * In: bytes that are about to come, 0 where nobody knows. Throws LazaretError UNAVAILABLE (507) where a volume is below its mark,
   * or they would take it there.
   */
  requireRoom(bytes: number): void
}

const lookEveryMs = 2000
const gibibyte = 1 << 30

/** In: the size of a volume, and the setting. Out: its mark: as set, else 1 GiB, or a twentieth where that is less. */
export function lowWaterOf(totalBytes: number, setting: number | undefined): number {
  return setting ?? Math.min(gibibyte, Math.floor(totalBytes / 20))
}

/** In: a folder that is there. Throws what the file system throws. */
export async function roomOf(folder: string, setting: number | undefined): Promise<Room> {
  const { bavail, bsize, blocks } = await statfs(folder)
  const totalBytes = blocks * bsize
  return { folder, freeBytes: bavail * bsize, totalBytes, lowWaterBytes: lowWaterOf(totalBytes, setting) }
}

export function createDiskWatch(parts: { folders: readonly string[]; lowWaterBytes: number | undefined; log: Log }): DiskWatch {
  const { log } = parts
  const folders = [...new Set(parts.folders)]
  let rooms: Room[] = []
  let lowest: Room | undefined
  let timer: NodeJS.Timeout | undefined

  async function look(): Promise<void> {
    try {
      rooms = await Promise.all(folders.map((folder) => roomOf(folder, parts.lowWaterBytes)))
    } catch (error) {
      log.error({ problem: messageOf(error) }, 'the room on the disk is not known')
      return
    }
    const before = lowest
    lowest = rooms.find((room) => room.freeBytes < room.lowWaterBytes)
    if (before === undefined && lowest !== undefined)
      log.error({ ...lowest }, 'little room is left on the disk: pushes are refused, pulls go on')
    if (before !== undefined && lowest === undefined) log.info({ rooms }, 'there is room on the disk again: pushes are taken')
  }

  return {
    start() {
      timer = setInterval(() => void look(), lookEveryMs)
      timer.unref()
    },
    stop: () => clearInterval(timer),
    look,
    rooms: () => rooms,
    low: () => lowest,
    requireRoom(bytes) {
      if (lowest !== undefined) throw noRoom(lowest)
      if (bytes === 0) return
      const short = rooms.find((room) => room.lowWaterBytes > 0 && bytes > room.freeBytes - room.lowWaterBytes)
      if (short !== undefined) throw noRoom(short)
    },
  }
}

/** Its cause is what the disk itself would say a little later: what has come so far is thrown away by whoever keeps it. */
function noRoom({ freeBytes, lowWaterBytes }: Room): LazaretError {
  return new LazaretError(
    'UNAVAILABLE',
    `little room is left on the server's disk (${mebibytes(freeBytes)}, of which ${mebibytes(lowWaterBytes)} are kept free): pushes are refused until there is more, pulls go on`,
    {
      status: 507,
      detail: { limit: 'disk' },
      cause: Object.assign(new Error('below the low-water mark'), { code: 'ENOSPC' }),
    },
  )
}

function mebibytes(bytes: number): string {
  return `${Math.floor(bytes / (1 << 20))} MiB`
}
