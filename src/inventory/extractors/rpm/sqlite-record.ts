import type { PageUse } from './pages.ts'
import type { Pages } from './sqlite-pages.ts'

type Value = string | number | Buffer | null

export interface Leaf {
  number: number
  bytes: Buffer
}

const maxColumns = 100

/**
 * The row in a cell of a table's leaf: its length, its number, then as much as fits of {header of column types, columns};
 * the rest in a chain of pages. In: where it starts. Out: its columns; floating-point numbers are left out as null.
 * Throws RangeError. sqlite.org/fileformat2.html, "Record Format", "Cell Payload Overflow Pages".
 */
export function readRecord(pages: Pages, leaf: Leaf, at: number, used: PageUse): Value[] {
  const [length, afterLength] = varint(leaf.bytes, at)
  const [, start] = varint(leaf.bytes, afterLength)
  if (length > pages.totalBytes) throw new RangeError(`page ${leaf.number} has a row of ${length} bytes, more than the file has`)
  return columnsOf(payloadOf(pages, leaf, start, length, used), leaf.number)
}

function payloadOf(pages: Pages, { number, bytes: first }: Leaf, start: number, length: number, used: PageUse): Buffer {
  const { usableBytes } = pages
  const local = localBytes(length, usableBytes)
  if (start + local + (local < length ? 4 : 0) > usableBytes) throw new RangeError(`page ${number} has a row outside of itself`)
  if (local === length) return first.subarray(start, start + length)
  const payload = Buffer.allocUnsafe(length)
  let filled = first.copy(payload, 0, start, start + local)
  let next = first.readUInt32BE(start + local)
  while (filled < length) {
    used.take(next)
    const bytes = pages.page(next)
    filled += bytes.copy(payload, filled, 4, Math.min(usableBytes, 4 + length - filled))
    next = bytes.readUInt32BE(0)
  }
  return payload
}

/** How much of a row stands in its leaf. */
function localBytes(length: number, usableBytes: number): number {
  const most = usableBytes - 35
  if (length <= most) return length
  const least = Math.floor(((usableBytes - 12) * 32) / 255) - 23
  const some = least + ((length - least) % (usableBytes - 4))
  return some <= most ? some : least
}

function columnsOf(payload: Buffer, page: number): Value[] {
  const [headerBytes, afterHeader] = varint(payload, 0)
  if (headerBytes > payload.length) throw new RangeError(`page ${page} has a row whose header does not fit`)
  const columns: Value[] = []
  let value = headerBytes
  for (let at = afterHeader; at < headerBytes; ) {
    const [type, next] = varint(payload, at)
    const bytes = bytesOf(type)
    if (next > headerBytes || value + bytes > payload.length || columns.length === maxColumns) {
      throw new RangeError(`page ${page} has a row whose columns do not fit`)
    }
    columns.push(columnOf(payload.subarray(value, value + bytes), type))
    value += bytes
    at = next
  }
  return columns
}

function columnOf(bytes: Buffer, type: number): Value {
  if (type >= 12) return type % 2 === 0 ? bytes : bytes.toString('utf8')
  if (type === 8 || type === 9) return type - 8
  return type >= 1 && type <= 5 ? bytes.readIntBE(0, bytes.length) : null
}

/** Serial types: 0 null, 1–6 integers, 7 a float, 8 and 9 the numbers 0 and 1, then blobs and texts in turn. */
function bytesOf(type: number): number {
  if (type >= 12) return Math.floor((type - 12) / 2)
  return [0, 1, 2, 3, 4, 6, 8, 8, 0, 0][type] ?? 0
}

/** Seven bits a byte, the highest first, at most nine bytes. Out: the number (past 2^53 not exact), and where it ends. */
function varint(bytes: Buffer, at: number): [number, number] {
  let value = 0
  for (let index = 0; index < 9; index++) {
    const byte = bytes[at + index]
    if (byte === undefined) throw new RangeError('a number is cut short')
    if (index === 8) return [value * 256 + byte, at + 9]
    value = value * 128 + (byte & 127)
    if (byte < 128) return [value, at + index + 1]
  }
  return [value, at + 9]
}
