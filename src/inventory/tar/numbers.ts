import { unreadable } from './unreadable.ts'

/** In: a block, where a numeric field in it starts and ends, and the block's offset. Out: its value; base-256 may be negative. Throws UNREADABLE. */
export function parseNumeric(block: Buffer, start: number, end: number, offset: number): number {
  return ((block[start] ?? 0) & 0x80) !== 0 ? parseBase256(block.subarray(start, end), offset) : parseOctal(block, start, end, offset)
}

/** Spaces and NULs around the digits count for nothing; an empty field is 0. */
export function parseOctal(block: Buffer, start: number, end: number, offset: number): number {
  let from = start
  let to = end
  while (from < to && isBlank(block[from])) from++
  while (to > from && isBlank(block[to - 1])) to--
  let value = 0
  for (let at = from; at < to; at++) {
    const byte = block[at] as number
    if (byte === 0) break
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
