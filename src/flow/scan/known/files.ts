import { statSync } from 'node:fs'

/**
 * What tells whether a file is still the one that was hashed, as the index of git does: device, inode, size, and the times of its
 * content and of its inode to the nanosecond. The second can't be set by whoever may write to the file.
 */
export interface FileMark {
  mark: string
  /** The later of both times, in milliseconds since 1970. */
  changedAt: number
}

/** A file that was changed this shortly before it was read may change again without another time: clocks of file systems are coarse. */
const restMs = 2500

/** In: a path. Out: its mark; undefined where no file is there any more. */
export function markOf(path: string): FileMark | undefined {
  const stats = statSync(path, { bigint: true, throwIfNoEntry: false })
  if (stats === undefined || !stats.isFile()) return undefined
  const { dev, ino, size, mtimeNs, ctimeNs } = stats
  return {
    mark: [dev, ino, size, mtimeNs, ctimeNs].join(' '),
    changedAt: Number((mtimeNs > ctimeNs ? mtimeNs : ctimeNs) / 1_000_000n),
  }
}

/** In: the marks before and after a file was read whole, and when that began. Out: whether a file of this mark has those bytes. */
export function provesBytes(before: FileMark | undefined, after: FileMark | undefined, beganAt: number): boolean {
  return before !== undefined && before.mark === after?.mark && before.changedAt + restMs < beganAt
}
