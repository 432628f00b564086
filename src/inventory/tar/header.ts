import { parseNumeric, parseOctal } from './numbers.ts'
import { parseString } from './text.ts'
import { unreadable } from './unreadable.ts'

export const blockBytes = 512

export type TarFormat = 'v7' | 'ustar' | 'star' | 'gnu'

export interface TarHeader {
  format: TarFormat
  /** The type flag, as one character; `\0` is an old regular file. */
  flag: string
  name: string
  linkName: string
  mode: number
  uid: number
  gid: number
  sizeBytes: number
  mtime: number
}

/**
 * In: one block that is not all zeros, and its offset. Out: its fields, by the format that its magic names.
 * Throws UNREADABLE where the checksum or a number is wrong.
 * POSIX.1-2017 pax, "ustar Interchange Format"; the variants as Go's archive/tar tells them apart, because that is what
 * containerd and Docker unpack with: what they would refuse or skip must not be read otherwise here.
 */
export function parseHeader(block: Buffer, offset: number): TarHeader {
  checkSum(block, offset)
  const format = formatOf(block)
  const header: TarHeader = {
    format,
    flag: String.fromCharCode(block[156] ?? 0),
    name: parseString(block, 0, 100),
    linkName: parseString(block, 157, 257),
    sizeBytes: parseNumeric(block, 124, 136, offset),
    mode: parseNumeric(block, 100, 108, offset),
    uid: parseNumeric(block, 108, 116, offset),
    gid: parseNumeric(block, 116, 124, offset),
    mtime: parseNumeric(block, 136, 148, offset),
  }
  if (format !== 'v7') checkDeviceNumbers(block, offset)
  const prefix = prefixOf(block, format, offset)
  if (prefix !== '') header.name = `${prefix}/${header.name}`
  return header
}

function checkSum(block: Buffer, offset: number): void {
  const stated = parseOctal(block, 148, 156, offset)
  if (stated === sumOf(block)) return
  if (stated !== sumOf(block) - 256 * highBytes(block)) throw unreadable('the checksum of a header is wrong', offset)
}

const summed = new Uint8Array(blockBytes)
const words = new Uint32Array(summed.buffer)

/** Of the bytes, those of the sum itself as blanks. Four at a time: two halves of a word each hold a sum of 256 bytes. */
function sumOf(block: Buffer): number {
  summed.set(block)
  summed.fill(0x20, 148, 156)
  let even = 0
  let odd = 0
  for (let at = 0; at < words.length; at++) {
    const word = words[at] as number
    even += word & 0x00ff00ff
    odd += (word >>> 8) & 0x00ff00ff
  }
  return (even & 0xffff) + (even >>> 16) + (odd & 0xffff) + (odd >>> 16)
}

/** Bytes that are negative where a byte is signed, as some old writers sum them. */
function highBytes(block: Buffer): number {
  let high = 0
  for (let at = 0; at < blockBytes; at++) if ((at < 148 || at >= 156) && (block[at] as number) > 127) high++
  return high
}

function formatOf(block: Buffer): TarFormat {
  const magic = block.toString('latin1', 257, 265)
  if (magic.startsWith('ustar\0')) return block.toString('latin1', 508, 512) === 'tar\0' ? 'star' : 'ustar'
  return magic === 'ustar  \0' ? 'gnu' : 'v7'
}

function checkDeviceNumbers(block: Buffer, offset: number): void {
  parseNumeric(block, 329, 337, offset)
  parseNumeric(block, 337, 345, offset)
}

function prefixOf(block: Buffer, format: TarFormat, offset: number): string {
  if (format === 'ustar') return parseString(block, 345, 500)
  if (format === 'gnu') return misplacedPrefix(block)
  if (format !== 'star') return ''
  parseNumeric(block, 476, 488, offset)
  parseNumeric(block, 488, 500, offset)
  return parseString(block, 345, 476)
}

/** Go before 1.8 wrote a ustar prefix over GNU's atime and ctime (golang.org/issue/12594): seen where they are no numbers. */
function misplacedPrefix(block: Buffer): string {
  if (isTime(block, 345) && isTime(block, 357)) return ''
  const prefix = parseString(block, 345, 500)
  return /^[\x01-\x7f]*$/.test(prefix) ? prefix : ''
}

function isTime(block: Buffer, start: number): boolean {
  if (block[start] === 0) return true
  try {
    parseNumeric(block, start, start + 12, 0)
    return true
  } catch {
    return false
  }
}
