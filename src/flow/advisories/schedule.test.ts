import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { SourceRow } from '../../advisories/fetch/source-rows.ts'
import { chosenSources } from './chosen.ts'
import { waitForUpdate } from './schedule.ts'

const hour = 3_600_000
const now = Date.parse('2026-11-24T12:00:00Z')
const row = (agoMs: number, failures = 0): SourceRow => ({
  source: 'kev',
  part: '',
  from: 'https://kev.example',
  state: failures === 0 ? 'good' : 'failed',
  unproven: true,
  triedAt: new Date(now - agoMs).toISOString(),
  failures,
})
const wait = (rows: SourceRow[], random = 0) => waitForUpdate([{ name: 'kev' }], rows, { intervalMs: 6 * hour, now, random })

test('at once where it was never asked, else an interval after it was', () => {
  assert.equal(wait([]), 0)
  assert.equal(wait([row(2 * hour)]), 4 * hour)
  assert.equal(wait([row(7 * hour)]), 0)
  assert.equal(wait([row(2 * hour), { ...row(5 * hour), part: 'another' }]), hour)
})

test('sooner after a failure, at growing distances, and never beyond the interval', () => {
  assert.deepEqual(
    [1, 2, 3, 99].map((failures) => wait([row(0, failures)])),
    [300_000, 600_000, 1_200_000, 6 * hour],
  )
})

test('a clock that was set back holds nothing off for longer than the interval', () => {
  assert.equal(wait([row(-10_000 * hour)]), 6 * hour)
  fc.assert(
    fc.property(fc.integer({ min: -1e9, max: 1e9 }), fc.nat(50), fc.double({ min: 0, max: 1, noNaN: true }), (ago, failures, random) => {
      const ms = wait([row(ago * 1000, failures)], random)
      assert.ok(ms >= 0 && ms <= 6.2 * hour && Number.isInteger(ms))
    }),
  )
})

test('nothing is chosen where nothing may be fetched, or nothing is named and set', () => {
  const advisories = { sources: [{ name: 'kev' as const, base: 'https://mirror.example/kev.json' }], intervalSeconds: 60, trustedKeys: [] }
  assert.throws(() => chosenSources([], { advisories, offline: true }), { code: 'CONFLICT' })
  assert.throws(() => chosenSources(['kev'], { advisories, offline: true }), { code: 'CONFLICT' })
  assert.throws(() => chosenSources([], { advisories: { ...advisories, sources: [] }, offline: false }), { code: 'USAGE' })
  assert.throws(() => chosenSources(['nobody'], { advisories, offline: false }), { code: 'USAGE', message: /"nobody"/ })
  assert.deepEqual(chosenSources([], { advisories, offline: false }), advisories.sources)
  assert.deepEqual(chosenSources(['epss', 'kev', 'kev'], { advisories, offline: false }), [{ name: 'epss' }, advisories.sources[0]])
})
