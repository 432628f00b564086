import type { Random } from './random.ts'

/** Bytes and words at which readers of formats turn. */
const words = [
  '\0',
  '\xff\xff\xff\xff',
  '\x7f\xff\xff\xff',
  '\x80\0\0\0',
  '\r',
  '\n',
  '\n\n',
  '"',
  "'",
  '\\',
  '{',
  '}',
  '[',
  '[[[[[[[[[[[[[[[[',
  ']',
  ':',
  ',',
  '/',
  '../',
  '..',
  '%00',
  '\x1b[2J',
  '‮',
  '\ufeff',
  '\xc3',
  '-1',
  '0',
  '1e309',
  '99999999999999999999',
  'null',
  'true',
  '__proto__',
  'constructor',
  '0x1p3',
  '~',
  '^',
  '*',
  ' - ',
  '||',
]

/** How much of it one change can move. */
const mostMoved = 4096

type Change = (bytes: Buffer, random: Random, samples: readonly Buffer[]) => Buffer

/** In: samples of a form, well made. Out: one of them with a few changes, or bytes of no form. */
export function mutated(samples: readonly Buffer[], random: Random, mostBytes: number): Buffer {
  if (random.below(40) === 0) return noise(random)
  let bytes: Buffer = Buffer.from(random.of(samples))
  for (let left = 1 + random.below(6); left > 0; left--) bytes = random.of(changes)(bytes, random, samples).subarray(0, mostBytes)
  return bytes
}

function noise(random: Random): Buffer {
  return Buffer.from(Array.from({ length: random.below(600) }, () => random.below(256)))
}

const changes: readonly Change[] = [
  (bytes, random) => at(bytes, random, (spot) => (bytes[spot] = random.below(256))),
  (bytes, random) => at(bytes, random, (spot) => (bytes[spot] = (bytes[spot] as number) ^ (1 << random.below(8)))),
  (bytes, random) => at(bytes, random, (spot) => (bytes[spot] = random.of([0, 0x7f, 0x80, 0xff, 0x20, 0x0a]))),
  (bytes, random) => bytes.subarray(0, random.below(bytes.length + 1)),
  (bytes, random) => spliced(bytes, random.below(bytes.length + 1), 0, wordOf(random)),
  (bytes, random) => spliced(bytes, random.below(bytes.length + 1), 4, wordOf(random)),
  (bytes, random) => spliced(bytes, random.below(bytes.length + 1), random.below(mostMoved), Buffer.alloc(0)),
  (bytes, random) => spliced(bytes, random.below(bytes.length + 1), 0, pieceOf(bytes, random)),
  (bytes, random, samples) => spliced(bytes, random.below(bytes.length + 1), random.below(64), pieceOf(random.of(samples), random)),
  (bytes, random) => spliced(bytes, random.below(bytes.length + 1), 0, Buffer.alloc(1 + random.below(3000), wordOf(random))),
  swappedNumber,
]

function at(bytes: Buffer, random: Random, change: (spot: number) => void): Buffer {
  if (bytes.length > 0) change(spotIn(bytes, random))
  return bytes
}

/** Where something stands, in most cases: programs and databases are full of zeros. */
function spotIn(bytes: Buffer, random: Random): number {
  let spot = random.below(bytes.length)
  for (let tries = 0; tries < 20 && bytes[spot] === 0; tries++) spot = random.below(bytes.length)
  return spot
}

function wordOf(random: Random): Buffer {
  return Buffer.from(random.of(words), random.below(2) === 0 ? 'latin1' : 'utf8')
}

function pieceOf(bytes: Buffer, random: Random): Buffer {
  const from = random.below(bytes.length + 1)
  return bytes.subarray(from, from + random.below(mostMoved))
}

function spliced(bytes: Buffer, from: number, gone: number, put: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, from), put, bytes.subarray(from + gone)])
}

/** A number in binary, in either order of bytes, becomes a large, a small or a negative one. */
function swappedNumber(bytes: Buffer, random: Random): Buffer {
  if (bytes.length < 4) return bytes
  const value = random.of([0, 1, 0x7f, 0xff, 0xffff, 0x7fffffff, 0xffffffff, bytes.length, random.below(2 ** 31)])
  const spot = Math.min(spotIn(bytes, random), bytes.length - 4)
  if (random.below(2) === 0) bytes.writeUInt32LE(value, spot)
  else bytes.writeUInt32BE(value, spot)
  return bytes
}
