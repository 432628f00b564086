import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Digest } from '../model/digest.ts'
import { LazaretError } from '../kit/errors.ts'
import { blobAnswer, parseRange } from './ranges.ts'

test('the forms of RFC 9110, of a blob of 10 bytes', () => {
  const table: [string, [number, number]][] = [
    ['bytes=0-0', [0, 1]],
    ['bytes=0-9', [0, 10]],
    ['bytes=0-', [0, 10]],
    ['bytes=9-', [9, 10]],
    ['bytes=2-5', [2, 6]],
    ['bytes=5-100', [5, 10]],
    ['bytes=-1', [9, 10]],
    ['bytes=-10', [0, 10]],
    ['bytes=-999', [0, 10]],
    [' bytes=0-1 ', [0, 2]],
  ]
  for (const [header, [start, end]] of table) assert.deepEqual(parseRange(header, 10), { start, end }, header)
})

test('outside of it: 416, with its size', () => {
  for (const header of ['bytes=10-', 'bytes=10-20', 'bytes=999999999999999-', 'bytes=-0', 'bytes=5-4']) {
    assert.throws(() => parseRange(header, 10), { code: 'RANGE_INVALID', status: 416, headers: { 'content-range': 'bytes */10' } }, header)
  }
  for (const header of ['bytes=0-', 'bytes=-1', 'bytes=0-0']) assert.throws(() => parseRange(header, 0), { code: 'RANGE_INVALID' }, header)
})

test('what is to be ignored is', () => {
  const forms = [
    '',
    'bytes',
    'bytes=',
    'bytes=-',
    'bytes=a-b',
    'bytes=0-1,3-4',
    'items=0-1',
    'bytes=0-1x',
    'bytes=1.5-2',
    'bytes=--1',
    'bytes=1e3-',
    'bytes=9999999999999999-',
    'bytes=0-1\n, ',
  ]
  for (const header of forms) assert.equal(parseRange(header, 10), undefined, header)
})

test('any header: within the blob, ignored, or 416', () => {
  const near = fc
    .tuple(fc.constantFrom('bytes=', 'bytes=-', 'BYTES=', ''), fc.nat(30), fc.constantFrom('-', '', ','), fc.nat(30))
    .map((parts) => parts.join(''))
  fc.assert(
    fc.property(fc.oneof(near, fc.string()), fc.nat(20), (header, size) => {
      try {
        const range = parseRange(header, size)
        if (range === undefined) return
        assert.ok(range.start >= 0 && range.start < range.end && range.end <= size)
      } catch (error) {
        assert.ok(error instanceof LazaretError && error.code === 'RANGE_INVALID')
      }
    }),
    { numRuns: 2000 },
  )
})

test('the answer says which bytes it has, and reads no others', async () => {
  const blob = { id: 1, digest: `sha256:${'a'.repeat(64)}` as Digest, sizeBytes: 10, objectKey: 'k' }
  const asked: unknown[] = []
  const read = async (range?: { start: number; end: number }) => {
    asked.push(range)
    return Readable.from([])
  }
  const whole = await blobAnswer(blob, undefined, read)
  assert.deepEqual(
    [whole.status, whole.headers['content-length'], whole.headers['content-range'], whole.headers['docker-content-digest']],
    [200, '10', undefined, blob.digest],
  )
  const part = await blobAnswer(blob, 'bytes=2-5', read)
  assert.deepEqual([part.status, part.headers['content-length'], part.headers['content-range']], [206, '4', 'bytes 2-5/10'])
  await assert.rejects(blobAnswer(blob, 'bytes=10-', read), { code: 'RANGE_INVALID' })
  assert.deepEqual(asked, [undefined, { start: 2, end: 6 }])
  assert.equal((await blobAnswer(blob, undefined, undefined)).body, undefined)
})
