import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { crc32, deflateRawSync } from 'node:zlib'
import fc from 'fast-check'
import { fromBufferPromise } from 'yauzl'
import { contentOf } from '../content/content.ts'
import { zipOf } from '../testing/zips.ts'
import type { ZipMember } from '../testing/zips.ts'
import { beginsAsZip, directoryOf, ZipError } from './directory.ts'
import type { ZipEntry } from './directory.ts'
import { unpack, unpackWhole } from './unpack.ts'

const mib = 1024 * 1024

function entriesOf(bytes: Buffer): ZipEntry[] {
  return [...(directoryOf(contentOf(bytes), mib)?.entries ?? assert.fail('no zip'))]
}

function textsOf(bytes: Buffer): [string, string][] {
  return entriesOf(bytes).map((entry) => [entry.name, unpackWhole(contentOf(bytes), entry, mib).toString()])
}

const two: ZipMember[] = [
  ['a.txt', 'first'],
  ['b.txt', 'second', 'stored'],
]
const twoTexts = [
  ['a.txt', 'first'],
  ['b.txt', 'second'],
]

describe('forms of a zip', () => {
  test('deflated and stored, and two of one name', () => {
    assert.deepEqual(textsOf(zipOf(two)), twoTexts)
    assert.deepEqual(
      textsOf(
        zipOf([
          ['a', '1'],
          ['a', '2'],
        ]),
      ),
      [
        ['a', '1'],
        ['a', '2'],
      ],
    )
    assert.deepEqual(textsOf(zipOf([])), [])
  })

  test('behind a prefix that its offsets do not count, as in an executable jar', () => {
    assert.deepEqual(textsOf(Buffer.concat([Buffer.from('#!/bin/sh\nexec java -jar "$0"\n'), zipOf(two)])), twoTexts)
  })

  test('before a comment, and before bytes that are none of it', () => {
    const zip = zipOf(two)
    const commented = Buffer.concat([zip, Buffer.from('PK\u0005\u0006 is in here')])
    commented.writeUInt16LE(commented.length - zip.length, zip.length - 2)
    assert.deepEqual(textsOf(commented), twoTexts)
    assert.deepEqual(textsOf(Buffer.concat([zip, Buffer.alloc(1000, 'x')])), twoTexts)
  })

  test('of 64 bits, with and without a prefix', () => {
    const wide = zip64Of('a.txt', 'first')
    assert.deepEqual(textsOf(wide), [['a.txt', 'first']])
    assert.deepEqual(textsOf(Buffer.concat([Buffer.alloc(100), wide])), [['a.txt', 'first']])
  })

  test('a zip is read as another reader reads it', async () => {
    const member = fc.tuple(
      fc.string({ minLength: 1, maxLength: 30 }).map((name) => `m${name.replaceAll(/[\\/]/g, '_')}`),
      fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
      fc.constantFrom('stored' as const, 'deflated' as const),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(member, { maxLength: 8 }), fc.uint8Array({ maxLength: 40 }), async (members, comment) => {
        const zip = Buffer.concat([zipOf(members), comment])
        zip.writeUInt16LE(comment.length, zip.length - comment.length - 2)
        const theirs: [string, string][] = []
        const other = await fromBufferPromise(zip, { decodeStrings: false })
        for await (const entry of other.eachEntry()) {
          const chunks: Buffer[] = []
          for await (const chunk of await other.openReadStreamPromise(entry)) chunks.push(chunk as Buffer)
          theirs.push([Buffer.from(entry.fileNameRaw).toString(), Buffer.concat(chunks).toString()])
        }
        assert.deepEqual(textsOf(zip), theirs)
      }),
      { numRuns: 200 },
    )
  })
})

describe('what is no zip, or a bad one', () => {
  test('a text is none, and what begins as one was cut', () => {
    const text = contentOf(Buffer.from('no zip at all'))
    assert.equal(directoryOf(text, mib), undefined)
    assert.equal(beginsAsZip(text), false)
    const cut = contentOf(zipOf(two).subarray(0, 60))
    assert.equal(directoryOf(cut, mib), undefined)
    assert.equal(beginsAsZip(cut), true)
    assert.equal(directoryOf(contentOf(Buffer.alloc(0)), mib), undefined)
  })

  test('a directory larger than is read, or that lies about where it is', () => {
    assert.throws(() => directoryOf(contentOf(zipOf(two)), 50), /a directory of 102 bytes, more than the 50/)
    assert.throws(
      () => directoryOf(contentOf(damaged(zipOf(two), (zip) => zip.writeUInt32LE(0xffffff, zip.length - 10))), mib),
      /leads to no directory/,
    )
    const second = zipOf(two).lastIndexOf('PK\u0001\u0002')
    assert.throws(() => entriesOf(damaged(zipOf(two), (zip) => zip.writeUInt8(0, second))), /damaged directory at byte \d+/)
    assert.throws(() => entriesOf(damaged(zipOf(two), (zip) => zip.writeUInt16LE(0xffff, second + 28))), /damaged directory/)
  })

  test('entries that are encrypted, packed otherwise, elsewhere, or that lie about their bytes', async () => {
    const entry = () => ({ ...(entriesOf(zipOf(two))[0] as ZipEntry) })
    const lies: [Partial<ZipEntry>, RegExp][] = [
      [{ encrypted: true }, /is encrypted/],
      [{ method: 12 }, /method 12/],
      [{ headerAt: 1 }, /leads to no entry/],
      [{ headerAt: 1e15 }, /leads to no entry/],
      [{ packedBytes: 1e9 }, /leads to no entry/],
      [{ packedBytes: Number.MAX_VALUE }, /leads to no entry/],
      [{ sizeBytes: 4 }, /unfolds to more than 4 bytes|size or checksum/],
      [{ sizeBytes: 6 }, /size or checksum/],
      [{ crc32: 1 }, /size or checksum/],
      [{ packedBytes: 3 }, /is damaged/],
    ]
    for (const [lie, message] of lies) {
      assert.throws(
        () => unpackWhole(contentOf(zipOf(two)), { ...entry(), ...lie }, mib),
        (error) => error instanceof ZipError && message.test(error.message),
      )
      await assert.rejects(
        unpack(contentOf(zipOf(two)), { ...entry(), ...lie }, () => undefined),
        message,
      )
    }
    assert.throws(() => unpackWhole(contentOf(zipOf(two)), entry(), 3), /more than 3 bytes/)
  })

  test('any change to any byte gives entries or a ZipError', () => {
    const sample = Buffer.concat([zip64Of('x.txt', 'some text'), zipOf(two)])
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(sample.length - 1), fc.nat(255)), { maxLength: 6 }), fc.nat(sample.length), (changes, cut) => {
        const bytes = Buffer.from(sample)
        for (const [at, value] of changes) bytes[at] = value
        for (const some of [bytes, bytes.subarray(0, cut), bytes.subarray(cut)]) {
          try {
            for (const entry of directoryOf(contentOf(some), mib)?.entries ?? []) unpackWhole(contentOf(some), entry, mib)
          } catch (error) {
            assert.ok(error instanceof ZipError, String(error))
          }
        }
      }),
      { numRuns: 2000 },
    )
  })
})

describe('a large entry', () => {
  const large = Buffer.concat(Array.from({ length: 300 }, (_, index) => Buffer.alloc(64 * 1024, index)))

  test('is laid down, and read at any place', async () => {
    const zip = contentOf(zipOf([['large', large]]))
    const [entry] = [...(directoryOf(zip, mib)?.entries ?? [])]
    let told = 0
    const { content, close } = await unpack(zip, entry as ZipEntry, (count) => (told += count))
    assert.equal(told, large.length)
    assert.equal(content.sizeBytes, large.length)
    assert.deepEqual(content.read(5_000_000, 100_000), large.subarray(5_000_000, 5_100_000))
    assert.throws(() => content.read(large.length - 1, 2), RangeError)
    close()
    close()
  })

  test('is given up as soon as it is too much, or not what it was said to be', async () => {
    const bytes = zipOf([['large', large]])
    const zip = contentOf(bytes)
    const entry = entriesOf(bytes)[0] as ZipEntry
    const stop = new Error('enough')
    let told = 0
    await assert.rejects(
      unpack(zip, entry, (count) => {
        told += count
        if (told > mib) throw stop
      }),
      stop,
    )
    assert.ok(told < 2 * mib)
    await assert.rejects(
      unpack(zip, { ...entry, crc32: 0 }, () => undefined),
      /size or checksum/,
    )
    await assert.rejects(
      unpack(zip, { ...entry, sizeBytes: 9 * mib }, () => undefined),
      /more than 9437184 bytes/,
    )
    await assert.rejects(
      unpack(zip, { ...entry, packedBytes: entry.packedBytes - 5 }, () => undefined),
      /is damaged/,
    )
  })
})

function damaged(zip: Buffer, change: (zip: Buffer) => void): Buffer {
  change(zip)
  return zip
}

/** One deflated entry, with every number that can be in its 64-bit place. */
function zip64Of(name: string, text: string): Buffer {
  const packed = deflateRawSync(text)
  const head = Buffer.alloc(30)
  head.writeUInt32LE(0x04034b50, 0)
  head.writeUInt16LE(8, 8)
  head.writeUInt16LE(name.length, 26)
  const entry = Buffer.alloc(46)
  entry.writeUInt32LE(0x02014b50, 0)
  entry.writeUInt16LE(8, 10)
  entry.writeUInt32LE(crc32(text), 16)
  for (const at of [20, 24, 42]) entry.writeUInt32LE(0xffffffff, at)
  entry.writeUInt16LE(name.length, 28)
  entry.writeUInt16LE(28, 30)
  const extra = Buffer.alloc(28)
  extra.writeUInt16LE(1, 0)
  extra.writeUInt16LE(24, 2)
  extra.writeBigUInt64LE(BigInt(text.length), 4)
  extra.writeBigUInt64LE(BigInt(packed.length), 12)
  const directory = Buffer.concat([entry, Buffer.from(name), extra])
  const start = head.length + name.length + packed.length
  const end64 = Buffer.alloc(56)
  end64.writeUInt32LE(0x06064b50, 0)
  end64.writeBigUInt64LE(BigInt(directory.length), 40)
  end64.writeBigUInt64LE(BigInt(start), 48)
  const locator = Buffer.alloc(20)
  locator.writeUInt32LE(0x07064b50, 0)
  locator.writeBigUInt64LE(BigInt(start + directory.length), 8)
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt32LE(0xffffffff, 12)
  end.writeUInt32LE(0xffffffff, 16)
  return Buffer.concat([head, Buffer.from(name), packed, directory, end64, locator, end])
}
