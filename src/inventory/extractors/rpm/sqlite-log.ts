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
export function writtenPages(log: Buffer, pageBytes: number): WrittenPages | undefined {
  if (log.length < headBytes || log.readUInt32BE(0) === 0) return undefined
  const little = log.readUInt32BE(0) === magic
  if (!little && log.readUInt32BE(0) !== magic + 1) throw new RangeError('its log (-wal) is none')
  if (log.readUInt32BE(4) !== version) throw new RangeError(`its log (-wal) is of version ${log.readUInt32BE(4)}`)
  if (log.readUInt32BE(8) !== pageBytes) throw new RangeError(`its log (-wal) has pages of ${log.readUInt32BE(8)} bytes, not ${pageBytes}`)
  let sum = addedTo([0, 0], log, 0, 24, little)
  if (!isSum(sum, log, 24)) return undefined
  const frameBytes = frameHeadBytes + pageBytes
  let pending = new Map<number, number>()
  const committed = new Map<number, number>()
  let count: number | undefined
  for (let at = headBytes; at + frameBytes <= log.length; at += frameBytes) {
    if (log.compare(log, 16, 24, at + 8, at + 16) !== 0) break
    sum = addedTo(addedTo(sum, log, at, at + 8, little), log, at + frameHeadBytes, at + frameBytes, little)
    if (!isSum(sum, log, at + 16)) break
    pending.set(log.readUInt32BE(at), at + frameHeadBytes)
    if (log.readUInt32BE(at + 4) === 0) continue
    count = log.readUInt32BE(at + 4)
    for (const [page, start] of pending) committed.set(page, start)
    pending = new Map()
  }
  if (count === undefined) return undefined
  return {
    count,
    page: (number) => {
      const start = committed.get(number)
      return start === undefined ? undefined : log.subarray(start, start + pageBytes)
    },
  }
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
