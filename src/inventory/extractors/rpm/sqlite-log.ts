import type { Content } from '../../content/content.ts'

const headBytes = 32
const frameHeadBytes = 24
const magic = 0x377f0682
const version = 3_007_000

export interface WrittenPages {
  /** Pages of the database after the last commit. */
  count: number
  page(number: number): Buffer | undefined
}

/**
 * In: a write-ahead log, and the page size of its database. Out: the newest committed content of each page in it; undefined
 * where it holds no commit, as one that was started anew does. Frames count up to the first that is not of this log's salt
 * or whose checksum is wrong, as in a recovery. Throws RangeError where the head is no log's.
 * sqlite.org/fileformat2.html, "The WAL File Format".
 */
export function writtenPages(log: Content, pageBytes: number): WrittenPages | undefined {
  if (log.sizeBytes < headBytes) return undefined
  const head = log.read(0, headBytes)
  if (head.readUInt32BE(0) === 0) return undefined
  const little = head.readUInt32BE(0) === magic
  if (!little && head.readUInt32BE(0) !== magic + 1) throw new RangeError('its log (-wal) is none')
  if (head.readUInt32BE(4) !== version) throw new RangeError(`its log (-wal) is of version ${head.readUInt32BE(4)}`)
  if (head.readUInt32BE(8) !== pageBytes)
    throw new RangeError(`its log (-wal) has pages of ${head.readUInt32BE(8)} bytes, not ${pageBytes}`)
  const { count, starts } = committedFrames(log, head, pageBytes, little)
  if (count === undefined) return undefined
  return {
    count,
    page: (number) => {
      const start = starts.get(number)
      return start === undefined ? undefined : log.read(start, pageBytes)
    },
  }
}

/** A frame: page, pages of the database where it ends a commit (else 0), salt, sums of all so far, then the page. */
function committedFrames(log: Content, head: Buffer, pageBytes: number, little: boolean): { count?: number; starts: Map<number, number> } {
  const starts = new Map<number, number>()
  let sum = addedTo([0, 0], head, 0, 24, little)
  if (!isSum(sum, head, 24)) return { starts }
  const frameBytes = frameHeadBytes + pageBytes
  let pending: [page: number, start: number][] = []
  let count: number | undefined
  for (let at = headBytes; at + frameBytes <= log.sizeBytes; at += frameBytes) {
    const frame = log.read(at, frameBytes)
    if (head.compare(frame, 8, 16, 16, 24) !== 0) break
    sum = addedTo(addedTo(sum, frame, 0, 8, little), frame, frameHeadBytes, frameBytes, little)
    if (!isSum(sum, frame, 16)) break
    pending.push([frame.readUInt32BE(0), at + frameHeadBytes])
    if (frame.readUInt32BE(4) === 0) continue
    count = frame.readUInt32BE(4)
    for (const [page, start] of pending) starts.set(page, start)
    pending = []
  }
  return { ...(count !== undefined && { count }), starts }
}

type Sum = [number, number]

/** Two running sums over pairs of 32-bit words, in the byte order that the magic number names. */
function addedTo([first, second]: Sum, log: Buffer, from: number, to: number, little: boolean): Sum {
  for (let at = from; at < to; at += 8) {
    first = (first + (little ? log.readUInt32LE(at) : log.readUInt32BE(at)) + second) >>> 0
    second = (second + (little ? log.readUInt32LE(at + 4) : log.readUInt32BE(at + 4)) + first) >>> 0
  }
  return [first, second]
}

function isSum([first, second]: Sum, log: Buffer, at: number): boolean {
  return log.readUInt32BE(at) === first && log.readUInt32BE(at + 4) === second
}
