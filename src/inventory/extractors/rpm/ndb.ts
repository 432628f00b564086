const magic = 'RpmP'
const headBytes = 32
const slotPageBytes = 4096
const slotBytes = 16
const blockBytes = 16
const blobHeadBytes = 16
const blobTailBytes = 12

export function isNdb(bytes: Buffer): boolean {
  return bytes.length >= headBytes && bytes.toString('latin1', 0, 4) === magic
}

/**
 * Values of rpm's own database, SUSE's `Packages.db`; all numbers are little-endian.
 * In: the file. Out: the bytes of each header, a slice of it. Throws RangeError with the slot where something is wrong.
 * ```
 * head  0 RpmP  4 version  8 generation  12 slot pages of 4096 bytes, the head within the first
 * slot  0 Slot  4 package, 0 is free  8 offset in blocks of 16  12 count of blocks
 * blob  0 BlbS  4 package  8 generation  12 length  16 the header, padded
 * tail  0 checksum  4 length  8 BlbE, at the end of its blocks
 * ```
 * rpm, lib/backend/ndb/rpmpkg.c.
 */
export function* ndbValues(bytes: Buffer): Generator<Buffer> {
  const version = bytes.readUInt32LE(4)
  if (version !== 0) throw new RangeError(`version ${version} of its form is not known`)
  const slotsEnd = bytes.readUInt32LE(12) * slotPageBytes
  if (slotsEnd === 0 || slotsEnd > bytes.length)
    throw new RangeError(`it has ${bytes.length} bytes, and is cut short: its slots have ${slotsEnd}`)
  let left = bytes.length - slotsEnd
  for (let at = headBytes; at < slotsEnd; at += slotBytes) {
    const slot = at / slotBytes
    if (bytes.toString('latin1', at, at + 4) !== 'Slot') throw new RangeError(`slot ${slot} is none`)
    if (bytes.readUInt32LE(at + 4) === 0) continue
    // Blobs do not share blocks: all together they are no larger than the file.
    left -= bytes.readUInt32LE(at + 12) * blockBytes
    if (left < 0) throw new RangeError(`slot ${slot} has blocks that another has`)
    yield blobOf(bytes, at, slot, slotsEnd)
  }
}

function blobOf(bytes: Buffer, at: number, slot: number, slotsEnd: number): Buffer {
  const start = bytes.readUInt32LE(at + 8) * blockBytes
  const end = start + bytes.readUInt32LE(at + 12) * blockBytes
  if (start < slotsEnd || end > bytes.length || end - start < blobHeadBytes + blobTailBytes) {
    throw new RangeError(`slot ${slot} leads to bytes ${start} to ${end}, outside of the file`)
  }
  const length = bytes.readUInt32LE(start + 12)
  const isBlob =
    bytes.toString('latin1', start, start + 4) === 'BlbS' &&
    bytes.readUInt32LE(start + 4) === bytes.readUInt32LE(at + 4) &&
    bytes.toString('latin1', end - 4, end) === 'BlbE' &&
    bytes.readUInt32LE(end - 8) === length &&
    start + blobHeadBytes + length + blobTailBytes <= end
  if (!isBlob) throw new RangeError(`slot ${slot} leads to byte ${start}, where its package is not`)
  return bytes.subarray(start + blobHeadBytes, start + blobHeadBytes + length)
}
