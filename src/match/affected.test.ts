import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { AffectedPackage, RangeEvent } from '../model/advisory.ts'
import { compareApk } from '../versions/apk.ts'
import { compareDpkg } from '../versions/dpkg.ts'
import type { Compare } from '../versions/order.ts'
import { comparePep440 } from '../versions/pep440.ts'
import { compareSemver } from '../versions/semver.ts'
import { type Affected, fixesAbove, isAffected } from './affected.ts'
import { affects, eventsOf } from './reader.testing.ts'

function assertAnswers(order: Compare, affected: AffectedPackage, answers: Record<string, Affected>): void {
  for (const [version, answer] of Object.entries(answers)) assert.equal(isAffected(version, affected, order), answer, version)
}

test('affected: introduced and fixed', () => {
  assertAnswers(compareSemver, affects('npm', 'a', 'introduced 1.0.0, fixed 1.2.0, introduced 2.0.0, fixed 2.1.0'), {
    '0.9.0': false,
    '1.0.0-rc.1': false,
    '1.0.0': true,
    '1.1.9': true,
    '1.2.0-rc.1': true,
    '1.2.0': false,
    '1.9.0': false,
    '2.0.5': true,
    '2.1.0': false,
  })
})

test('affected: the order of a record does not matter', () => {
  assertAnswers(compareSemver, affects('npm', 'a', 'fixed 2.1.0, introduced 2.0.0, fixed 1.2.0, introduced 0'), {
    '0.0.1': true,
    '1.2.0': false,
    '2.0.0': true,
    '2.1.0': false,
  })
})

test('affected: lastAffected holds at its own version', () => {
  assertAnswers(compareSemver, affects('npm', 'a', 'introduced 0, lastAffected 1.2.0'), {
    '1.2.0': true,
    '1.2.1': false,
    '1.2.1-rc.1': false,
  })
  assertAnswers(compareSemver, affects('npm', 'a', 'lastAffected 1.2.0, introduced 1.2.0'), {
    '1.1.0': false,
    '1.2.0': true,
    '1.2.1': false,
  })
})

test('affected: below any of the limits', () => {
  assertAnswers(compareSemver, affects('npm', 'a', 'introduced 0, limit 1.0.0, limit 2.0.0'), { '1.5.0': true, '2.0.0': false })
  assertAnswers(compareSemver, affects('npm', 'a', 'introduced 0, limit *'), { '9.0.0': true })
  assertAnswers(compareSemver, affects('npm', 'a', 'introduced 0, limit x'), { '9.0.0': 'unknown' })
})

test('affected: any of several ranges', () => {
  assertAnswers(compareDpkg, affects('Debian:12', 'a', 'introduced 0, fixed 1.0-1', 'introduced 2.0-1, fixed 2.0-3'), {
    '0.5-1': true,
    '1.0-1': false,
    '2.0-2': true,
    '2.0-3': false,
  })
})

test('affected: an epoch is not lost (trivy#77)', () => {
  assertAnswers(compareDpkg, affects('Debian:12', 'git', 'introduced 0, fixed 1:2.39.5-0+deb12u1'), {
    '1:2.39.5-0+deb12u1': false,
    '2.45.0-1': true,
    '1:2.39.2-1.1': true,
  })
})

test('affected: what Debian fixed is not reported (osv-scanner#1556)', () => {
  assertAnswers(compareDpkg, affects('Debian:12', 'openssl', 'introduced 0, fixed 3.0.14-1~deb12u1'), {
    '3.0.14-1~deb12u2': false,
    '3.0.15-1~deb12u1': false,
    '3.0.14-1~deb12u1': false,
    '3.0.13-1~deb12u1': true,
  })
})

test('affected: fixed in 0 means never affected', () => {
  assertAnswers(compareApk, affects('Alpine:v3.20', 'a', 'introduced 0, fixed 0'), {
    '0_alpha': false,
    '0': false,
    '1.2-r3': false,
    garbage: false,
  })
  assertAnswers(compareApk, affects('Alpine:v3.20', 'a', 'fixed 0, introduced 0'), { '1.2-r3': false })
})

test('affected: an event that cannot be compared is doubt, where it could turn the answer', () => {
  assertAnswers(compareSemver, affects('npm', 'a', 'introduced 0, fixed latest'), { '1.0.0': 'unknown' })
  assertAnswers(compareSemver, affects('npm', 'a', 'introduced latest, fixed 2.0.0'), { '1.0.0': 'unknown', '2.0.0': 'unknown' })
  assertAnswers(compareSemver, affects('npm', 'a', 'introduced 2.0.0, fixed latest'), { '1.0.0': false, '2.0.0': 'unknown' })
  assertAnswers(compareSemver, affects('npm', 'a', 'introduced 0, introduced latest'), { '1.0.0': true })
  assertAnswers(compareSemver, affects('npm', 'a', 'introduced 0, fixed latest', 'introduced 0, fixed 2.0.0'), {
    '1.0.0': true,
    '2.0.0': 'unknown',
  })
  assertAnswers(compareSemver, affects('npm', 'a', 'introduced 0, fixed 1.2.3.4'), { '1.2.3.3': 'unknown', '1.2.2': true, '1.2.4': false })
})

test('affected: a version that is none is doubt, save where every version is affected', () => {
  for (const version of ['', 'latest', 'unknown', '1.0.0 ', 'x'.repeat(1_000_000)]) {
    assert.equal(isAffected(version, affects('npm', 'a', 'introduced 0, fixed 1.0.0'), compareSemver), 'unknown')
    assert.equal(isAffected(version, affects('npm', 'a', 'introduced 0'), compareSemver), true)
    assert.equal(isAffected(version, { ...affects('npm', 'a'), versions: ['1.0.0'] }, compareSemver), 'unknown')
  }
})

test('affected: a range without introduced says that something is wrong, not that all is well', () => {
  assertAnswers(compareSemver, affects('npm', 'a', 'fixed 1.0.0'), { '0.5.0': 'unknown', '1.5.0': 'unknown' })
  assert.equal(isAffected('1.0.0', { ...affects('npm', 'a'), ranges: [{ type: 'SEMVER', events: [] }] }, compareSemver), 'unknown')
})

test('affected: listed versions, in any spelling where the list stands alone', () => {
  assertAnswers(
    comparePep440,
    { ...affects('PyPI', 'a'), versions: ['1.0', '2.0.0-final'] },
    { '1.0': true, '1.0.0': true, '2.0.0-final': true, '1.1': false },
  )
  assertAnswers(
    comparePep440,
    { ...affects('PyPI', 'a', 'introduced 3.0, fixed 3.1'), versions: ['1.0'] },
    { '1.0': true, '3.0.1': true, '2.0': false },
  )
})

test('fixes: those above the installed version, lowest first', () => {
  const entries = [
    affects('npm', 'a', 'introduced 0, fixed 1.10.0, introduced 2.0.0, fixed 2.1.0'),
    affects('npm', 'a', 'introduced 0, fixed 1.9.0', 'introduced 0, fixed latest', 'introduced 0, fixed 1.10.0'),
  ]
  assert.deepEqual(fixesAbove('1.9.0', entries, compareSemver), ['1.10.0', '2.1.0'])
  assert.deepEqual(fixesAbove('0.1.0', entries, compareSemver), ['1.9.0', '1.10.0', '2.1.0'])
  assert.deepEqual(fixesAbove('latest', entries, compareSemver), [])
})

test('affected: one pass says the same as sorting the events', () => {
  const version = fc.integer({ min: 0, max: 12 }).map((minor) => `1.${minor}.0`)
  const event = fc.oneof(
    fc.constant({ introduced: '0' }),
    version.map((introduced) => ({ introduced })),
    version.map((fixed) => ({ fixed })),
    version.map((lastAffected) => ({ lastAffected })),
  )
  fc.assert(
    fc.property(version, fc.array(event, { minLength: 1, maxLength: 8 }), (installed, events: RangeEvent[]) => {
      fc.pre(events.some((found) => 'introduced' in found))
      assert.equal(
        isAffected(installed, { ecosystem: 'npm', name: 'a', versions: [], ranges: [{ type: 'SEMVER', events }] }, compareSemver),
        bySorting(installed, events),
      )
    }),
    { numRuns: 3000 },
  )
})

/** The algorithm as the OSV schema words it. */
function bySorting(version: string, events: readonly RangeEvent[]): boolean {
  const place = (event: RangeEvent): string =>
    'introduced' in event ? event.introduced : 'fixed' in event ? event.fixed : 'lastAffected' in event ? event.lastAffected : ''
  const sorted = [...events].sort((a, b) =>
    place(a) === '0'
      ? place(b) === '0'
        ? 0
        : -1
      : place(b) === '0'
        ? 1
        : Number(compareSemver(place(a), place(b))) || Number('lastAffected' in a) - Number('lastAffected' in b),
  )
  let affected = false
  for (const event of sorted) {
    const order = place(event) === '0' ? 1 : compareSemver(version, place(event))
    if ('introduced' in event && order !== -1) affected = true
    if ('fixed' in event && order !== -1) affected = false
    if ('lastAffected' in event && order === 1) affected = false
  }
  return affected
}

test('hostile: any events get one of three answers, and what is open from 0 on hits all', () => {
  const version = fc.oneof(fc.constantFrom('0', '1.0', '1.0-1', '2:1', '1~a', 'x', '', '1.0.0-rc.1'), fc.string({ maxLength: 12 }))
  const event = fc.oneof(
    version.map((introduced) => ({ introduced })),
    version.map((fixed) => ({ fixed })),
    version.map((lastAffected) => ({ lastAffected })),
    version.map((limit) => ({ limit })),
  )
  fc.assert(
    fc.property(
      fc.constantFrom(compareApk, compareDpkg, comparePep440, compareSemver),
      version,
      fc.array(event, { maxLength: 6 }),
      (order, installed, events: RangeEvent[]) => {
        const answer = isAffected(installed, { ecosystem: 'npm', name: 'a', versions: [], ranges: [{ type: 'ECOSYSTEM', events }] }, order)
        const openEnded = isAffected(
          installed,
          {
            ecosystem: 'npm',
            name: 'a',
            versions: [],
            ranges: [{ type: 'ECOSYSTEM', events: [...events, { introduced: '0' }].filter((found) => 'introduced' in found) }],
          },
          order,
        )
        assert.ok([true, false, 'unknown'].includes(answer))
        assert.equal(openEnded, true)
      },
    ),
    { numRuns: 2000 },
  )
})

test('hostile: ten thousand events are answered at once', () => {
  const events = Array.from({ length: 5000 }, (_, at) => eventsOf(`introduced 1.${at * 2}.0, fixed 1.${at * 2 + 1}.0`)).flat()
  const affected: AffectedPackage = { ecosystem: 'npm', name: 'a', versions: [], ranges: [{ type: 'SEMVER', events: events.reverse() }] }
  const began = performance.now()
  assert.equal(isAffected('1.5000.1', affected, compareSemver), true)
  assert.equal(isAffected('1.5001.0', affected, compareSemver), false)
  assert.equal(fixesAbove('1.5000.1', [affected], compareSemver)[0], '1.5001.0')
  assert.ok(performance.now() - began < 500)
})
