// The central directory of a zip, from one read of it: a jar has tens of thousands of entries of which a few are looked at.
// PKWARE APPNOTE 6.3.10, sections 4.3.12 to 4.3.16 and 4.5.3; where readers differ, as java.util.zip.ZipFile reads it.
import type { Content } from '../content/content.ts'

const endSignature = 0x06054b50
const entrySignature = 0x02014b50
const locatorSignature = 0x07064b50
const end64Signature = 0x06064b50
const endBytes = 22
const entryBytes = 46
const locatorBytes = 20
const end64Bytes = 56
const mostCommentBytes = 0xffff
const in64 = 0xffffffff

export interface ZipEntry {
  /** As UTF-8; what is none has U+FFFD. It is shown and compared, never used as a path. */
  name: string
  /** 0 stored, 8 deflated. */
  method: number
  encrypted: boolean
  crc32: number
  packedBytes: number
  /** As the directory states it. */
  sizeBytes: number
  /** Where its own header starts in the content. */
  headerAt: number
}

/** Where a zip's directory lies in its content. */
interface Place {
  start: number
  sizeBytes: number
  /** Bytes before the first entry that offsets do not count: the shell script of an executable jar. */
  prefix: number
}

export interface Directory {
  sizeBytes: number
  entries: Iterable<ZipEntry>
}

/** What is wrong with a zip, for people. */
export class ZipError extends Error {}

/**
 * In: content, and the most bytes that its directory may have (an entry takes at least 46 of them).
 * Out: the entries as they are asked for, or undefined where no end record says that this is a zip.
 * Throws ZipError, the iteration too: damaged, larger than that, in several parts.
 */
export function directoryOf(content: Content, mostBytes: number): Directory | undefined {
  const place = findDirectory(content)
  if (place === undefined) return undefined
  if (place.sizeBytes > mostBytes)
    throw new ZipError(`has a directory of ${place.sizeBytes} bytes, more than the ${mostBytes} that are read`)
  return { sizeBytes: place.sizeBytes, entries: { [Symbol.iterator]: () => entriesIn(content.read(place.start, place.sizeBytes), place) } }
}

/** Whether content begins as a zip does: then one without an end record was cut short. */
export function beginsAsZip(content: Content): boolean {
  return content.sizeBytes >= 4 && content.read(0, 4).readUInt32LE(0) === 0x04034b50
}

/** The last record whose comment ends with the content; else, as in Java, the last that a directory stands before. */
function findDirectory(content: Content): Place | undefined {
  const tailBytes = Math.min(content.sizeBytes, endBytes + mostCommentBytes)
  const tailAt = content.sizeBytes - tailBytes
  const tail = content.read(tailAt, tailBytes)
  for (let at = tailBytes - endBytes; at >= 0; at--) {
    if (tail[at] !== 0x50 || tail.readUInt32LE(at) !== endSignature) continue
    const isLast = at + endBytes + tail.readUInt16LE(at + 20) === tailBytes
    const place = placeOf(content, tail.subarray(at, at + endBytes), tailAt + at)
    if (place !== undefined && (isLast || place.sizeBytes > 0)) return place
    if (isLast) throw new ZipError('has an end record that leads to no directory')
  }
  return undefined
}

function placeOf(content: Content, end: Buffer, endAt: number): Place | undefined {
  const place64 = placeOf64(content, endAt)
  if (place64 !== undefined) return place64
  return checked(content, endAt, end.readUInt32LE(12), end.readUInt32LE(16))
}

/** The 64-bit form has a locator right before the end record; its record stands where that says, or where a prefix moved it. */
function placeOf64(content: Content, endAt: number): Place | undefined {
  if (endAt < locatorBytes + end64Bytes) return undefined
  const locator = content.read(endAt - locatorBytes, locatorBytes)
  if (locator.readUInt32LE(0) !== locatorSignature) return undefined
  for (const at of [Number(locator.readBigUInt64LE(8)), endAt - locatorBytes - end64Bytes]) {
    if (at < 0 || at + end64Bytes > endAt - locatorBytes) continue
    const end = content.read(at, end64Bytes)
    if (end.readUInt32LE(0) === end64Signature)
      return checked(content, at, Number(end.readBigUInt64LE(40)), Number(end.readBigUInt64LE(48)))
  }
  return undefined
}

/** The directory ends where its end record starts. */
function checked(content: Content, endAt: number, sizeBytes: number, offset: number): Place | undefined {
  const start = endAt - sizeBytes
  if (start < 0 || offset > start) return undefined
  if (sizeBytes === 0) return { start, sizeBytes, prefix: 0 }
  if (sizeBytes < entryBytes || content.read(start, 4).readUInt32LE(0) !== entrySignature) return undefined
  return { start, sizeBytes, prefix: start - offset }
}

function* entriesIn(directory: Buffer, place: Place): Generator<ZipEntry> {
  for (let at = 0; at < directory.length; ) {
    const nameAt = at + entryBytes
    if (nameAt > directory.length || directory.readUInt32LE(at) !== entrySignature) throw damagedAt(place.start + at)
    const nameEnd = nameAt + directory.readUInt16LE(at + 28)
    const extraEnd = nameEnd + directory.readUInt16LE(at + 30)
    const next = extraEnd + directory.readUInt16LE(at + 32)
    if (next > directory.length) throw damagedAt(place.start + at)
    yield entryAt(directory, at, nameEnd, extraEnd, place)
    at = next
  }
}

function entryAt(directory: Buffer, at: number, nameEnd: number, extraEnd: number, place: Place): ZipEntry {
  const entry: ZipEntry = {
    name: directory.toString('utf8', at + entryBytes, nameEnd),
    encrypted: (directory.readUInt16LE(at + 8) & 1) === 1,
    method: directory.readUInt16LE(at + 10),
    crc32: directory.readUInt32LE(at + 16),
    packedBytes: directory.readUInt32LE(at + 20),
    sizeBytes: directory.readUInt32LE(at + 24),
    headerAt: directory.readUInt32LE(at + 42),
  }
  if (entry.packedBytes === in64 || entry.sizeBytes === in64 || entry.headerAt === in64) widen(entry, directory.subarray(nameEnd, extraEnd))
  entry.headerAt += place.prefix
  return entry
}

/** The extra field 1 gives, in this order, those of the three numbers that 32 bits did not hold. */
function widen(entry: ZipEntry, extra: Buffer): void {
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2)) {
    if (extra.readUInt16LE(at) !== 1) continue
    const field = extra.subarray(at + 4, at + 4 + extra.readUInt16LE(at + 2))
    let used = 0
    const next = (narrow: number): number => {
      if (narrow !== in64 || used + 8 > field.length) return narrow
      used += 8
      return Number(field.readBigUInt64LE(used - 8))
    }
    entry.sizeBytes = next(entry.sizeBytes)
    entry.packedBytes = next(entry.packedBytes)
    entry.headerAt = next(entry.headerAt)
    return
  }
}

function damagedAt(at: number): ZipError {
  return new ZipError(`has a damaged directory at byte ${at}`)
}
