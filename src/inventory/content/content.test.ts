import assert from 'node:assert/strict'
import { fstatSync, readdirSync, readlinkSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import { contentOf, partOf, piecesOf } from './content.ts'
import { SpooledFile } from './spooled.ts'

const mib = 1024 * 1024

/** Descriptors of this process that lead to a file without a name. */
function nameless(): number[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return /lazaret-.*\(deleted\)$/.test(readlinkSync(`/proc/self/fd/${fd}`)) ? [Number(fd)] : []
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [] // of the listing itself
      throw error
    }
  })
}

test('what was laid down is read at any place, holes among it', () => {
  const part = fc.oneof(
    fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    fc.nat(300_000).map((length) => Buffer.alloc(length)),
  )
  fc.assert(
    fc.property(fc.array(part, { maxLength: 8 }), fc.nat(), fc.nat(), (parts, a, b) => {
      const whole = Buffer.concat(parts)
      const file = new SpooledFile()
      for (const bytes of parts) file.append(bytes)
      const from = whole.length === 0 ? 0 : a % whole.length
      const length = b % (whole.length - from + 1)
      assert.deepEqual(file.read(from, length), whole.subarray(from, from + length))
      assert.deepEqual(Buffer.concat([...piecesOf(file)]), whole)
      file.close()
    }),
    { numRuns: 100 },
  )
})

test('a gigabyte of zeros takes no room, and a closed file leaves nothing', {
  skip: process.platform !== 'linux' && 'left out: asks /proc',
}, () => {
  const before = nameless()
  const file = new SpooledFile()
  for (let count = 0; count < 1024; count++) file.append(Buffer.alloc(mib))
  assert.equal(file.sizeBytes, 1024 * mib)
  assert.deepEqual(file.read(file.sizeBytes - 10, 10), Buffer.alloc(10))
  const [fd] = nameless().filter((each) => !before.includes(each))
  assert.ok(fd !== undefined)
  assert.ok(fstatSync(fd).blocks * 512 < mib)
  file.close()
  file.close()
  assert.deepEqual(nameless(), before)
})

test('nothing is read beyond the end, nor before the start', () => {
  const bytes = contentOf(Buffer.from('0123456789'))
  const part = partOf(bytes, 2, 5)
  assert.equal(part.read(1, 3).toString(), '345')
  const file = new SpooledFile()
  file.append(Buffer.from('0123456789'))
  for (const content of [bytes, file])
    for (const [from, length] of [
      [8, 3],
      [-1, 2],
      [0, -1],
      [11, 0],
      [0.5, 1],
      [NaN, 1],
      [0, Infinity],
    ] as const)
      assert.throws(() => content.read(from, length), RangeError)
  file.close()
  assert.throws(() => part.read(4, 2), RangeError)
  assert.throws(() => partOf(bytes, 8, 3), RangeError)
})
