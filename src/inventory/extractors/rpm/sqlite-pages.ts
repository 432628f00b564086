import type { Content } from '../../content/content.ts'
import { pageReader } from './pages.ts'
import { writtenPages } from './sqlite-log.ts'

/** The pages of a database, from 1, with those of its log in the place of older ones. */
export interface Pages {
  /** Without what is reserved at the end of each. */
  usableBytes: number
  count: number
  totalBytes: number
  /** Throws RangeError where there is no such page. */
  page(number: number): Buffer
}

/**
 * In: a database file, and its write-ahead log. Out: its pages as a reader would see them after a crash: with all that was
 * committed. Throws RangeError where its head is wrong or the file is cut short.
 * sqlite.org/fileformat2.html, "The Database Header".
 */
export function pagesOf(content: Content, log: Content | undefined): Pages {
  const bytes = content.read(0, 100)
  const pageBytes = bytes.readUInt16BE(16) === 1 ? 65_536 : bytes.readUInt16BE(16)
  if (pageBytes < 512 || (pageBytes & (pageBytes - 1)) !== 0) throw new RangeError(`pages of ${pageBytes} bytes`)
  const usableBytes = pageBytes - (bytes[20] ?? 0)
  if (usableBytes < 480) throw new RangeError(`pages with ${bytes[20]} bytes reserved`)
  const written = log === undefined ? undefined : writtenPages(log, pageBytes)
  const count = written?.count ?? countOf(bytes, content.sizeBytes, pageBytes)
  const most = content.sizeBytes + (written === undefined ? 0 : (log?.sizeBytes ?? 0))
  if (count * pageBytes > most) throw new RangeError(`it has ${most} bytes, and is cut short: ${count} pages have ${count * pageBytes}`)
  const read = pageReader(content, pageBytes, -pageBytes)
  return {
    usableBytes,
    count,
    totalBytes: count * pageBytes,
    page: (number) => {
      if (number < 1 || number > count) throw new RangeError(`page ${number} is not in the file`)
      return written?.page(number) ?? read(number)
    },
  }
}

/** The count in the head holds only where the same version of the file wrote it; else the file's own length. */
function countOf(bytes: Buffer, sizeBytes: number, pageBytes: number): number {
  const count = bytes.readUInt32BE(28)
  const isCurrent = count > 0 && bytes.readUInt32BE(24) === bytes.readUInt32BE(92)
  return isCurrent ? count : Math.floor(sizeBytes / pageBytes)
}
