import type { Content } from '../../content/content.ts'
import { PageUse, pageReader } from './pages.ts'

const magic = 0x61561
const metaType = 8
const hashTypes: ReadonlySet<number> = new Set([2, 13])
const overflowType = 7
const pageHeaderBytes = 26
const inline = 1
const offPage = 3

/** The numbers are in the byte order of the machine that made the file. */
interface Layout {
  u16(bytes: Buffer, at: number): number
  u32(bytes: Buffer, at: number): number
  page(number: number): Buffer
  /** The same, for chains: they lie elsewhere than the pages that lead to them. */
  chainPage(number: number): Buffer
  pageBytes: number
  lastPage: number
  sizeBytes: number
}

export function isBdb(head: Buffer): boolean {
  return head.length >= 512 && (head.readUInt32LE(12) === magic || head.readUInt32BE(12) === magic)
}

/**
 * Values of a Berkeley DB hash table, which is what rpm kept in `Packages` up to 4.15.
 * In: the file. Out: the bytes of each header. Throws RangeError with the page where something is wrong: a file
 * that is cut short, a chain that goes in a circle, a page that two values claim.
 * ```
 * page 0    12 magic  20 page size  25 type  32 last page
 * hash page 20 entries (key, value in turn)  26 their offsets, u16 each
 * value     0 type: 1 inline, 3 {4 first page, 8 length}
 * overflow  16 next page  22 bytes here  26 the bytes
 * ```
 * libdb, src/dbinc/db_page.h.
 */
export function* bdbValues(content: Content): Generator<Buffer> {
  const layout = layoutOf(content)
  const used = new PageUse(layout.lastPage)
  for (let number = 1; number <= layout.lastPage; number++) {
    const page = layout.page(number)
    if (!hashTypes.has(page[25] ?? 0)) continue
    if (layout.u32(page, 8) !== number) throw new RangeError(`page ${number} says that it is page ${layout.u32(page, 8)}`)
    yield* valuesOfPage(page, number, layout, used)
  }
}

function layoutOf(content: Content): Layout {
  const { sizeBytes } = content
  const head = content.read(0, 512)
  const little = head.readUInt32LE(12) === magic
  const u16 = (bytes: Buffer, at: number): number => (little ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at))
  const u32 = (bytes: Buffer, at: number): number => (little ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at))
  const pageBytes = u32(head, 20)
  const lastPage = u32(head, 32)
  if (pageBytes < 512 || pageBytes > 65_536 || (pageBytes & (pageBytes - 1)) !== 0) throw new RangeError(`pages of ${pageBytes} bytes`)
  if (head[25] !== metaType) throw new RangeError(`page 0 is of type ${head[25]}, not of a hash table`)
  if (head[24] !== 0) throw new RangeError('the database is encrypted')
  if ((lastPage + 1) * pageBytes > sizeBytes) {
    throw new RangeError(`it has ${sizeBytes} bytes, and is cut short: ${lastPage + 1} pages have ${(lastPage + 1) * pageBytes}`)
  }
  return { u16, u32, page: pageReader(content, pageBytes), chainPage: pageReader(content, pageBytes), pageBytes, lastPage, sizeBytes }
}

function* valuesOfPage(page: Buffer, number: number, layout: Layout, used: PageUse): Generator<Buffer> {
  const entries = layout.u16(page, 20)
  if (entries % 2 !== 0) throw new RangeError(`page ${number} has a key without a value`)
  if (pageHeaderBytes + 2 * entries > layout.pageBytes) throw new RangeError(`page ${number} has ${entries} entries, more than fit`)
  let before = layout.pageBytes
  for (let entry = 1; entry < entries; entry += 2) {
    const keyAt = layout.u16(page, pageHeaderBytes + 2 * (entry - 1))
    const at = layout.u16(page, pageHeaderBytes + 2 * entry)
    // They are laid from the end of the page to its front, so the one before says where each ends.
    if (at < pageHeaderBytes + 2 * entries || at >= keyAt || keyAt >= before) {
      throw new RangeError(`page ${number} has an entry outside of itself`)
    }
    before = at
    if (page[at] === inline) {
      // Key 0 has the number of the last package: four bytes, no header.
      if (keyAt - at - 1 > 4) yield page.subarray(at + 1, keyAt)
    } else if (page[at] === offPage && keyAt - at >= 12) {
      yield chained(layout, layout.u32(page, at + 4), layout.u32(page, at + 8), used)
    } else throw new RangeError(`page ${number} has a value of type ${page[at]}`)
  }
}

/** Every page gives bytes and belongs to one value, so it ends. */
function chained(layout: Layout, first: number, length: number, used: PageUse): Buffer {
  if (length > layout.sizeBytes) throw new RangeError(`page ${first} starts a value of ${length} bytes, more than the file has`)
  const value = Buffer.allocUnsafe(length)
  let filled = 0
  let number = first
  while (number !== 0) {
    used.take(number)
    const page = layout.chainPage(number)
    const here = layout.u16(page, 22)
    if (page[25] !== overflowType) throw new RangeError(`page ${number} is in a chain, and of type ${page[25]}`)
    if (here === 0 || here > layout.pageBytes - pageHeaderBytes || filled + here > length) {
      throw new RangeError(`page ${number} is in a chain, and has ${here} bytes`)
    }
    filled += page.copy(value, filled, pageHeaderBytes, pageHeaderBytes + here)
    number = layout.u32(page, 16)
  }
  if (filled !== length) throw new RangeError(`the chain from page ${first} has ${filled} bytes of ${length}`)
  return value
}
