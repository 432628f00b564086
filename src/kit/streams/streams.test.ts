import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import fc from 'fast-check'
import { digestOf } from '../../model/digest.ts'
import { LazaretError } from '../errors.ts'
import { collect } from './collect.ts'
import { decompress } from './decompress.ts'
import { verified } from './verify.ts'

const text = Buffer.alloc(300_000, 'quarantine ')
const skippable = Buffer.concat([Buffer.from([0x5a, 0x2a, 0x4d, 0x18, 5, 0, 0, 0]), Buffer.from('stuff')])
const gzip = gzipSync(text)
const zstd = zstdCompressSync(text)

const readable: [string, Buffer, Buffer][] = [
  ['plain', text, text],
  ['nothing', Buffer.alloc(0), Buffer.alloc(0)],
  ['shorter than any magic', Buffer.from('ab'), Buffer.from('ab')],
  ['gzip', gzip, text],
  ['gzip of two members', Buffer.concat([gzip, gzip]), Buffer.concat([text, text])],
  ['zstd', zstd, text],
  ['zstd of two frames', Buffer.concat([zstd, zstd]), Buffer.concat([text, text])],
  ['zstd after a skippable frame', Buffer.concat([skippable, zstd]), text],
  ['zstd before a skippable frame', Buffer.concat([zstd, skippable]), text],
]

for (const [name, stored, expected] of readable) {
  test(`${name} is read, in one piece and byte by byte`, async () => {
    const few = stored.length < 2000 ? [...stored].map((byte) => Buffer.from([byte])) : [stored.subarray(0, 3), stored.subarray(3)]
    for (const chunks of [[stored], few]) {
      const { bytes, bytesIn } = await decompress(Readable.from(chunks))
      assert.ok((await collect(bytes, 1e9, 'test')).equals(expected))
      assert.equal(bytesIn(), stored.length)
    }
  })
}

const broken: [string, Buffer, RegExp][] = [
  ['gzip cut short', gzip.subarray(0, -5), /gzip data is corrupt or cut short/],
  ['gzip with a flipped bit', flipped(gzip, 30), /gzip data is corrupt/],
  ['gzip with a wrong checksum', flipped(gzip, gzip.length - 6), /gzip data is corrupt/],
  ['gzip with something after it', Buffer.concat([gzip, Buffer.from('trailing')]), /gzip data is corrupt/],
  ['gzip with zeros after it', Buffer.concat([gzip, Buffer.alloc(512)]), /no gzip data follow its end/],
  ['gzip with zeros and gzip after it', Buffer.concat([gzip, Buffer.alloc(512), gzip]), /no gzip data follow its end/],
  ['zstd cut short', zstd.subarray(0, -3), /zstd data is corrupt or cut short/],
  ['zstd with something after it', Buffer.concat([zstd, Buffer.from('trailing')]), /no zstd data follow its end/],
  ['bzip2', Buffer.concat([Buffer.from('BZh9'), Buffer.from('314159265359', 'hex')]), /bzip2-compressed/],
  ['xz', Buffer.from('fd377a585a000004', 'hex'), /xz-compressed/],
]

for (const [name, stored, message] of broken) {
  test(`${name} is UNREADABLE, and the source is closed`, async () => {
    const source = Readable.from([stored.subarray(0, 20), stored.subarray(20)])
    await assert.rejects(async () => await collect((await decompress(source)).bytes, 1e9, 'test'), { code: 'UNREADABLE', message })
    assert.ok(source.destroyed)
  })
}

test('any bytes at all give bytes or an UNREADABLE', async () => {
  const heads = [Buffer.alloc(0), gzip.subarray(0, 40), zstd.subarray(0, 12), skippable]
  const bytes = fc.tuple(fc.constantFrom(...heads), fc.uint8Array({ maxLength: 300 })).map((parts) => Buffer.concat(parts))
  await fc.assert(
    fc.asyncProperty(bytes, async (stored) => {
      try {
        await collect((await decompress(Readable.from([stored]))).bytes, 1e8, 'test')
      } catch (error) {
        assert.ok(error instanceof LazaretError, String(error))
        assert.equal(error.code, 'UNREADABLE')
      }
    }),
    { numRuns: 200 },
  )
})

test('an error of the source passes through as it is', async () => {
  const failure = Object.assign(new Error('disk'), { code: 'EIO' })
  for (const head of [text.subarray(0, 100), gzip.subarray(0, 100)]) {
    const source = async function* () {
      yield head
      throw failure
    }
    await assert.rejects(async () => await collect((await decompress(source())).bytes, 1e9, 'test'), failure)
  }
})

test('a source that never ends is left when the signal says so', async () => {
  const controller = new AbortController()
  const source = new Readable({ read() {} })
  source.push(gzip.subarray(0, 100))
  const reading = decompress(source, controller.signal).then(async ({ bytes }) => await collect(bytes, 1e9, 'test'))
  setTimeout(() => controller.abort(new Error('enough')), 20)
  await assert.rejects(reading, /enough/)
  assert.ok(source.destroyed)
})

test('a reader that leaves early closes the source', async () => {
  for (const stored of [text, gzip]) {
    const source = Readable.from([stored.subarray(0, 200), stored.subarray(200)])
    const { bytes } = await decompress(source)
    for await (const chunk of bytes) if (chunk.length > 0) break
    await new Promise(setImmediate)
    assert.ok(source.destroyed)
  }
})

test('collect stops at its bound', async () => {
  assert.equal((await collect(Readable.from([text]), text.length, 'it')).length, text.length)
  await assert.rejects(collect(Readable.from([text]), text.length - 1, 'the config'), {
    code: 'LIMIT_EXCEEDED',
    message: /the config is larger than/,
  })
})

test('verified bytes have their digest and size, or end in an error', async () => {
  const digest = digestOf('sha256', createHash('sha256').update(text).digest('hex'))
  const read = async (bytes: Buffer, size: number) => await collect(verified(Readable.from([bytes]), digest, size), 1e9, 'test')
  assert.ok((await read(text, text.length)).equals(text))
  await assert.rejects(read(text, text.length - 1), { code: 'UNREADABLE', message: /more than/ })
  await assert.rejects(read(text, text.length + 1), { code: 'UNREADABLE', message: /less than/ })
  await assert.rejects(read(flipped(text, 5), text.length), { code: 'UNREADABLE', message: /what is stored as sha256:/ })
})

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes)
  copy[at] = (copy[at] ?? 0) ^ 1
  return copy
}
