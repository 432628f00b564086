import { PageUse } from './pages.ts'

const magic = 0x61561
const metaType = 8
const hashTypes: ReadonlySet<number> = new Set([2, 13])
const overflowType = 7
const pageHeaderBytes = 26
const inline = 1
const offPage = 3

/** The numbers are in the byte order of the machine that made the file. */
interface Layout {
  u16(at: number): number
  u32(at: number): number
  pageBytes: number
  lastPage: number
}

export function isBdb(bytes: Buffer): boolean {
  return bytes.length >= 512 && (bytes.readUInt32LE(12) === magic || bytes.readUInt32BE(12) === magic)
}

/**
 * Values of a Berkeley DB hash table, which is what rpm kept in `Packages` up to 4.15.
 * In: the file. Out: the bytes of each header, a copy. Throws RangeError with the page where something is wrong: a file
 * that is cut short, a chain that goes in a circle, a page that two values claim.
 * ```
 * page 0    12 magic  20 page size  25 type  32 last page
 * hash page 20 entries (key, value in turn)  26 their offsets, u16 each
 * value     0 type: 1 inline, 3 {4 first page, 8 length}
 * overflow  16 next page  22 bytes here  26 the bytes
 * ```
 * libdb, src/dbinc/db_page.h.
 */
export function* bdbValues(bytes: Buffer): Generator<Buffer> {
  const layout = layoutOf(bytes)
  const used = new PageUse(layout.lastPage)
  for (let page = 1; page <= layout.lastPage; page++) {
    const start = page * layout.pageBytes
    if (!hashTypes.has(bytes[start + 25] ?? 0)) continue
    if (layout.u32(start + 8) !== page) throw new RangeError(`page ${page} says that it is page ${layout.u32(start + 8)}`)
    yield* valuesOfPage(bytes, layout, page, used)
  }
}

function layoutOf(bytes: Buffer): Layout {
  const little = bytes.readUInt32LE(12) === magic
  const u16 = (at: number): number => (little ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at))
  const u32 = (at: number): number => (little ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at))
  const pageBytes = u32(20)
  const lastPage = u32(32)
  if (pageBytes < 512 || pageBytes > 65_536 || (pageBytes & (pageBytes - 1)) !== 0) throw new RangeError(`pages of ${pageBytes} bytes`)
  if (bytes[25] !== metaType) throw new RangeError(`page 0 is of type ${bytes[25]}, not a hash table`)
  if (bytes[24] !== 0) throw new RangeError('the database is encrypted')
  if ((lastPage + 1) * pageBytes > bytes.length) {
    throw new RangeError(`it has ${bytes.length} bytes, and is cut short: ${lastPage + 1} pages have ${(lastPage + 1) * pageBytes}`)
  }
  return { u16, u32, pageBytes, lastPage }
}

function* valuesOfPage(bytes: Buffer, layout: Layout, page: number, used: PageUse): Generator<Buffer> {
  const start = page * layout.pageBytes
  const entries = layout.u16(start + 20)
  if (entries % 2 !== 0) throw new RangeError(`page ${page} has a key without a value`)
  if (pageHeaderBytes + 2 * entries > layout.pageBytes) throw new RangeError(`page ${page} has ${entries} entries, more than fit`)
  let before = layout.pageBytes
  for (let entry = 1; entry < entries; entry += 2) {
    const keyAt = layout.u16(start + pageHeaderBytes + 2 * (entry - 1))
    const at = layout.u16(start + pageHeaderBytes + 2 * entry)
    // They are laid from the end of the page to its front, so the one before says where each ends.
    if (at < pageHeaderBytes + 2 * entries || at >= keyAt || keyAt >= before) {
      throw new RangeError(`page ${page} has an entry outside of itself`)
    }
    before = at
    const type = bytes[start + at]
    if (type === inline) {
      // Key 0 has the number of the last package: four bytes, no header.
      if (keyAt - at - 1 > 4) yield Buffer.from(bytes.subarray(start + at + 1, start + keyAt))
    } else if (type === offPage && keyAt - at >= 12) {
      yield chained(bytes, layout, layout.u32(start + at + 4), layout.u32(start + at + 8), used)
    } else throw new RangeError(`page ${page} has a value of type ${type}`)
  }
}

/** Every page gives bytes and belongs to one value, so it ends. */
function chained(bytes: Buffer, layout: Layout, first: number, length: number, used: PageUse): Buffer {
  if (length > bytes.length) throw new RangeError(`page ${first} starts a value of ${length} bytes, more than the file has`)
  const value = Buffer.allocUnsafe(length)
  let filled = 0
  let page = first
  while (page !== 0) {
    used.take(page)
    const start = page * layout.pageBytes
    const here = layout.u16(start + 22)
    if (bytes[start + 25] !== overflowType) throw new RangeError(`page ${page} is in a chain, and of type ${bytes[start + 25]}`)
    if (here === 0 || here > layout.pageBytes - pageHeaderBytes || filled + here > length) {
      throw new RangeError(`page ${page} is in a chain, and has ${here} bytes`)
    }
    filled += bytes.copy(value, filled, start + pageHeaderBytes, start + pageHeaderBytes + here)
    page = layout.u32(start + 16)
  }
  if (filled !== length) throw new RangeError(`the chain from page ${first} has ${filled} bytes of ${length}`)
  return value
}
