import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { LazaretError } from '../../kit/errors.ts'
import { parseExpiry } from './expiry.ts'

const now = Date.UTC(2026, 10, 24)

test('spans and instants', () => {
  assert.equal(parseExpiry('90d', now), now + 90 * 86_400_000)
  assert.equal(parseExpiry('12h', now), now + 12 * 3_600_000)
  assert.equal(parseExpiry('30m', now), now + 1_800_000)
  assert.equal(parseExpiry('4w', now), now + 28 * 86_400_000)
  assert.equal(parseExpiry('2027-01-31T12:00:00Z', now), Date.UTC(2027, 0, 31, 12))
})

test('what is none is refused with words that say what is', () => {
  for (const text of [
    '',
    '90',
    'd',
    '90 d',
    '-1d',
    '1.5d',
    '90D',
    '1y',
    'never',
    '2027-01-31',
    '2027-01-31T12:00:00',
    '1e3d',
    '９0d',
    'NaNd',
  ]) {
    assert.throws(() => parseExpiry(text, now), /not an expiry: .*90d or 12h/, text)
  }
  for (const text of ['0d', '0m', '2026-11-23T23:59:59Z', '2026-11-24T00:00:00Z'])
    assert.throws(() => parseExpiry(text, now), /has passed/, text)
  for (const text of ['3661d', '999999999w', '9999-12-31T23:59:59Z']) assert.throws(() => parseExpiry(text, now), /too long/, text)
})

test('any text is an instant of the next ten years, or INPUT_INVALID', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^\d{1,10}[mhdwy]$/)), (text) => {
      try {
        const at = parseExpiry(text, now)
        return Number.isSafeInteger(at) && at > now && at <= now + 3660 * 86_400_000
      } catch (error) {
        return error instanceof LazaretError && error.code === 'INPUT_INVALID' && error.message.length < 300
      }
    }),
  )
})
