import { isUtf8 } from 'node:buffer'

/**
 * File names are bytes. In: bytes. Out: the text where they are UTF-8; else each byte that is not ASCII as `\xHH`, so
 * that two names that differ stay two names.
 */
export function decodeName(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString('utf8')
  return bytes.toString('latin1').replaceAll(/[\u0080-\u00ff]/g, (char) => `\\x${char.charCodeAt(0).toString(16)}`)
}

/** A C string: ends at the first NUL, or with the field. In: a block, and where the field starts and ends. */
export function parseString(block: Buffer, start = 0, end = block.length): string {
  let at = start
  let bits = 0
  for (; at < end; at++) {
    const byte = block[at] as number
    if (byte === 0) break
    bits |= byte
  }
  if (at === start) return ''
  return bits < 0x80 ? block.toString('latin1', start, at) : decodeName(block.subarray(start, at))
}

const shownChars = 200

/** In: a name of any length. Out: what a message says of it, in quotes and without control characters. */
export function shownName(name: string): string {
  const start = JSON.stringify(name.slice(0, shownChars)).replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '?')
  return name.length > shownChars ? `${start} and ${name.length - shownChars} more characters` : start
}
