import { isUtf8 } from 'node:buffer'

/**
 * File names are bytes. In: bytes. Out: the text where they are UTF-8; else each byte that is not ASCII as `\xHH`, so
 * that two names that differ stay two names.
 */
export function decodeName(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString('utf8')
  return bytes.toString('latin1').replaceAll(/[\u0080-\u00ff]/g, (char) => `\\x${char.charCodeAt(0).toString(16)}`)
}

/** A C string: ends at the first NUL, or with the field. */
export function parseString(field: Buffer): string {
  const end = field.indexOf(0)
  return decodeName(end < 0 ? field : field.subarray(0, end))
}
