import type { Content } from '../../content/content.ts'

const magic = 'RpmP'
const headBytes = 32
const slotPageBytes = 4096
const slotBytes = 16
const blockBytes = 16
const blobHeadBytes = 16
const blobTailBytes = 12

export function isNdb(head: Buffer): boolean {
  return head.length >= headBytes && head.toString('latin1', 0, 4) === magic
}

/**
 * Values of rpm's own database, SUSE's `Packages.db`; all numbers are little-endian.
 * In: the file. Out: the bytes of each header. Throws RangeError with the slot where something is wrong.
 * ```
 * head  0 RpmP  4 version  8 generation  12 slot pages of 4096 bytes, the head within the first
 * slot  0 Slot  4 package, 0 is free  8 offset in blocks of 16  12 count of blocks
 * blob  0 BlbS  4 package  8 generation  12 length  16 the header, padded
 * tail  0 checksum  4 length  8 BlbE, at the end of its blocks
 * ```
 * rpm, lib/backend/ndb/rpmpkg.c.
 */
export function* ndbValues(content: Content): Generator<Buffer> {
  const head = content.read(0, headBytes)
  const version = head.readUInt32LE(4)
  const slotsEnd = head.readUInt32LE(12) * slotPageBytes
  if (version !== 0) throw new RangeError(`version ${version} of its form is not known`)
  if (slotsEnd === 0 || slotsEnd > content.sizeBytes) {
    throw new RangeError(`it has ${content.sizeBytes} bytes, and is cut short: its slots have ${slotsEnd}`)
  }
  let left = content.sizeBytes - slotsEnd
  for (let start = 0; start < slotsEnd; start += slotPageBytes) {
    const page = content.read(start, slotPageBytes)
    for (let at = start === 0 ? headBytes : 0; at < slotPageBytes; at += slotBytes) {
      const slot = (start + at) / slotBytes
      if (page.toString('latin1', at, at + 4) !== 'Slot') throw new RangeError(`slot ${slot} is none`)
      if (page.readUInt32LE(at + 4) === 0) continue
      // Blobs do not share blocks: all together they are no larger than the file.
      left -= page.readUInt32LE(at + 12) * blockBytes
      if (left < 0) throw new RangeError(`slot ${slot} has blocks that another has`)
      yield blobOf(content, page.subarray(at, at + slotBytes), slot, slotsEnd)
    }
  }
}

function blobOf(content: Content, entry: Buffer, slot: number, slotsEnd: number): Buffer {
  const start = entry.readUInt32LE(8) * blockBytes
  const size = entry.readUInt32LE(12) * blockBytes
  if (start < slotsEnd || start + size > content.sizeBytes || size < blobHeadBytes + blobTailBytes) {
    throw new RangeError(`slot ${slot} leads to ${size} bytes from byte ${start} on, outside of the file`)
  }
  const blob = content.read(start, size)
  const length = blob.readUInt32LE(12)
  const isBlob =
    blob.toString('latin1', 0, 4) === 'BlbS' &&
    blob.readUInt32LE(4) === entry.readUInt32LE(4) &&
    blob.toString('latin1', size - 4, size) === 'BlbE' &&
    blob.readUInt32LE(size - 8) === length &&
    blobHeadBytes + length + blobTailBytes <= size
  if (!isBlob) throw new RangeError(`slot ${slot} leads to byte ${start}, where its package is not`)
  return blob.subarray(blobHeadBytes, blobHeadBytes + length)
}
