import type { TarHeader } from './header.ts'
import { parseDecimal } from './numbers.ts'
import { decodeName } from './text.ts'
import { unreadable } from './unreadable.ts'

export type PaxRecords = Map<string, string>

export const sparseMapKey = 'GNU.sparse.map'

/**
 * In: the bytes of an extended header, and the offset of its entry. Out: its records; the offsets and lengths of GNU
 * sparse format 0.0, which repeat their keys, joined as format 0.1 writes them. Throws UNREADABLE.
 * POSIX.1-2017 pax, "pax Extended Header".
 */
export function parsePax(bytes: Buffer, offset: number): PaxRecords {
  const records: PaxRecords = new Map()
  const sparse: string[] = []
  for (let at = 0; at < bytes.length; ) {
    const { key, value, length } = parseRecord(bytes, at, offset)
    if (key === 'GNU.sparse.offset' || key === 'GNU.sparse.numbytes') addSparse(sparse, key, value, offset)
    else records.set(key, value)
    at += length
  }
  if (sparse.length > 0) records.set(sparseMapKey, sparse.join(','))
  return records
}

/** `25 ctime=1084839148.1212\n`: the length counts itself and the newline. */
function parseRecord(bytes: Buffer, at: number, offset: number): { key: string; value: string; length: number } {
  const space = bytes.indexOf(0x20, at)
  const digits = space < 0 || space - at > 20 ? '' : bytes.toString('latin1', at, space)
  const length = /^\+?\d+$/.test(digits) ? Number(digits) : 0
  const equals = bytes.indexOf(0x3d, space + 1)
  const end = at + length
  if (
    length < 5 ||
    end > bytes.length ||
    end - 1 <= space ||
    bytes[end - 1] !== 0x0a ||
    equals < 0 ||
    equals >= end - 1 ||
    equals === space + 1
  ) {
    throw unreadable('a PAX record is malformed', offset)
  }
  const key = decodeName(bytes.subarray(space + 1, equals))
  const value = bytes.subarray(equals + 1, end - 1)
  if (key.includes('\0') || (isName(key) && value.includes(0)))
    throw unreadable(`the PAX record ${JSON.stringify(key.slice(0, 100))} holds a NUL`, offset)
  return { key, value: decodeName(value), length }
}

function isName(key: string): boolean {
  return key === 'path' || key === 'linkpath' || key === 'uname' || key === 'gname'
}

function addSparse(sparse: string[], key: string, value: string, offset: number): void {
  const expected = sparse.length % 2 === 0 ? 'GNU.sparse.offset' : 'GNU.sparse.numbytes'
  if (key !== expected || value.includes(',')) throw unreadable('the sparse map of a PAX header is out of order', offset)
  sparse.push(value)
}

/** Lays the records over the header; an empty value leaves the header's own. Throws UNREADABLE on a bad number. */
export function mergePax(header: TarHeader, records: PaxRecords, offset: number): void {
  for (const [key, value] of records) {
    if (value === '') continue
    switch (key) {
      case 'path':
        header.name = value
        break
      case 'linkpath':
        header.linkName = value
        break
      case 'uid':
        header.uid = parseDecimal(value, 'the uid', offset)
        break
      case 'gid':
        header.gid = parseDecimal(value, 'the gid', offset)
        break
      case 'size':
        header.sizeBytes = parseDecimal(value, 'the size', offset)
        break
      case 'mtime':
        header.mtime = parseTime(value, offset)
        break
      case 'atime':
      case 'ctime':
        parseTime(value, offset)
        break
    }
  }
}

/** Whole seconds; the fraction is checked and dropped. */
function parseTime(text: string, offset: number): number {
  const point = text.indexOf('.')
  if (point >= 0 && !/^\d*$/.test(text.slice(point + 1))) throw unreadable('a PAX time is malformed', offset)
  return parseDecimal(point < 0 ? text : text.slice(0, point), 'a PAX time', offset)
}
