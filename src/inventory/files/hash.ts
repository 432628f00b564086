import { randomBytes } from 'node:crypto'

const key = randomBytes(8)
const [key0, key1] = [key.readInt32LE(0), key.readInt32LE(4)]

/**
 * HalfSipHash-1-3 with a key of this process: an archive can't be made so that its names fall together.
 * In: bytes, how many of them, and a number that belongs to them. Out: 32 bits. Aumasson and Bernstein, "SipHash: a fast short-input PRF".
 */
export function hashOf(bytes: Uint8Array, length: number, salt: number): number {
  let v0 = key0
  let v1 = key1
  let v2 = 0x6c796765 ^ key0
  let v3 = 0x74656462 ^ key1
  const words = length >>> 2
  for (let word = -1; word <= words + 3; word++) {
    let m = 0
    if (word === -1) m = salt
    else if (word < words) m = wordAt(bytes, word * 4, 4)
    else if (word === words) m = wordAt(bytes, word * 4, length & 3) | (length << 24)
    else if (word === words + 1) v2 ^= 0xff
    v3 ^= m
    v0 = (v0 + v1) | 0
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0
    v0 = (v0 << 16) | (v0 >>> 16)
    v2 = (v2 + v3) | 0
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2
    v0 = (v0 + v3) | 0
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0
    v2 = (v2 + v1) | 0
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2
    v2 = (v2 << 16) | (v2 >>> 16)
    v0 ^= m
  }
  return (v1 ^ v3) >>> 0
}

function wordAt(bytes: Uint8Array, at: number, count: number): number {
  let word = 0
  for (let byte = 0; byte < count; byte++) word |= (bytes[at + byte] as number) << (8 * byte)
  return word
}
