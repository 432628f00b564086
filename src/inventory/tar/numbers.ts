import { unreadable } from './unreadable.ts'

/** In: a numeric field of a header, and where it starts. Out: its value; base-256 may be negative. Throws UNREADABLE. */
export function parseNumeric(field: Buffer, offset: number): number {
  return ((field[0] ?? 0) & 0x80) !== 0 ? parseBase256(field, offset) : parseOctal(field, offset)
}

/** Spaces and NULs around the digits count for nothing; an empty field is 0. */
export function parseOctal(field: Buffer, offset: number): number {
  let start = 0
  let end = field.length
  while (start < end && isBlank(field[start])) start++
  while (end > start && isBlank(field[end - 1])) end--
  let value = 0
  for (let at = start; at < end; at++) {
    const byte = field[at] ?? 0
    if (byte === 0 && at > start) break
    if (byte < 0x30 || byte > 0x37) throw unreadable('a numeric field of a header is not octal', offset)
    value = value * 8 + (byte - 0x30)
  }
  return value
}

/** Two's complement, big-endian, with the top bit of the first byte as the mark: GNU's extension. */
function parseBase256(field: Buffer, offset: number): number {
  const negative = ((field[0] ?? 0) & 0x40) !== 0
  const inverse = negative ? 0xff : 0
  let value = 0n
  for (const [at, byte] of field.entries()) value = (value << 8n) | BigInt((byte ^ inverse) & (at === 0 ? 0x7f : 0xff))
  if (value >> 63n !== 0n) throw unreadable('a base-256 field of a header is out of range', offset)
  return negative ? -Number(value) - 1 : Number(value)
}

/** In: a decimal text of a PAX record or a sparse map. Out: the integer, of 64 bits at most. Throws UNREADABLE. */
export function parseDecimal(text: string, what: string, offset: number): number {
  if (!/^[+-]?\d{1,400}$/.test(text)) throw unreadable(`${what} is not a number`, offset)
  const value = BigInt(text.replace('+', ''))
  if (BigInt.asIntN(64, value) !== value) throw unreadable(`${what} is out of range`, offset)
  return Number(value)
}

function isBlank(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0
}
