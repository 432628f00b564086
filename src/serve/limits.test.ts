import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { LazaretError } from '../kit/errors.ts'
import { createOpenUploads, createUploadRate } from './limits.ts'

function allowed(begin: () => void): boolean {
  try {
    begin()
    return true
  } catch (error) {
    if (error instanceof LazaretError && error.code === 'TOOMANYREQUESTS') return false
    throw error
  }
}

test('in no minute more than twice the rate are begun, over a long time no more than the rate and one burst', () => {
  const steps = fc.array(fc.tuple(fc.integer({ min: 0, max: 5000 }), fc.boolean()), { minLength: 50, maxLength: 400 })
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 120 }), steps, (perMinute, given) => {
      let at = 1_000_000
      const rate = createUploadRate(perMinute, () => at)
      const begun: number[] = []
      for (const [ms] of given) {
        at += ms
        if (allowed(() => rate.begin('user:a'))) begun.push(at)
      }
      for (const start of begun) assert.ok(begun.filter((one) => one >= start && one < start + 60_000).length <= 2 * perMinute)
      assert.ok(begun.length <= perMinute + Math.ceil(((at - 1_000_000) * perMinute) / 60_000))
    }),
    { numRuns: 50 },
  )
})

test('who waits as long as it is told to is let in; another is not held back; a clock that is set back gives nothing', () => {
  let at = 5_000_000
  const rate = createUploadRate(2, () => at)
  rate.begin('user:a')
  rate.begin('user:a')
  let seconds = 0
  assert.throws(
    () => rate.begin('user:a'),
    (error: unknown) => {
      seconds = Number((error as LazaretError).headers['retry-after'])
      return (error as LazaretError).status === 429
    },
  )
  assert.equal(seconds, 30)
  rate.begin('user:b')
  at -= 3_600_000
  assert.equal(
    allowed(() => rate.begin('user:a')),
    false,
  )
  at += seconds * 1000
  assert.equal(
    allowed(() => rate.begin('user:a')),
    true,
  )
})

test('0 is no limit', () => {
  const rate = createUploadRate(0)
  for (let count = 0; count < 10_000; count++) rate.begin('user:a')
})

test('so many uploads may be open; those that ended are seen no later than a second after the limit was met', async () => {
  let at = 0
  let counted = 0
  let counts = 0
  const count = async () => {
    counts++
    return counted
  }
  const open = createOpenUploads(3, count, () => at)
  const begins = await Promise.allSettled(Array.from({ length: 5 }, () => open.begin()))
  assert.deepEqual(
    begins.map(({ status }) => status),
    ['fulfilled', 'fulfilled', 'fulfilled', 'rejected', 'rejected'],
  )
  assert.equal(counts, 1)
  counted = 3
  at += 1000
  await assert.rejects(open.begin(), { code: 'TOOMANYREQUESTS' })
  counted = 2
  await assert.rejects(open.begin(), { code: 'TOOMANYREQUESTS' })
  at += 1000
  await open.begin()
  await assert.rejects(open.begin(), { code: 'TOOMANYREQUESTS' })
  assert.equal(counts, 3)
})

test('what ends makes room at once', async () => {
  let counts = 0
  const open = createOpenUploads(
    2,
    async () => counts++ && 2,
    () => 0,
  )
  for (let at = 0; at < 100; at++) {
    await open.begin()
    open.end()
  }
  await open.begin()
  await open.begin()
  await assert.rejects(open.begin(), { code: 'TOOMANYREQUESTS' })
  assert.equal(counts, 1)
})

test('uploads that others begin over the same records are seen within half a minute', async () => {
  let at = 0
  let counted = 0
  const open = createOpenUploads(
    100,
    async () => counted,
    () => at,
  )
  await open.begin()
  counted = 100
  at += 29_000
  await open.begin()
  at += 1000
  await assert.rejects(open.begin(), { code: 'TOOMANYREQUESTS' })
})

test('where the records can’t be counted nothing begins', async () => {
  const open = createOpenUploads(3, async () => Promise.reject(new Error('no records')))
  await assert.rejects(open.begin(), /no records/)
})
