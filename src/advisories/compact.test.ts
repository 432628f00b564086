import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Advisory, AffectedRange } from '../model/advisory.ts'
import { withoutNeedlessVersions } from './compact.ts'

function versionsLeft(ecosystem: string, versions: string[], ...events: AffectedRange['events'][]): string[] {
  const ranges = events.map((list): AffectedRange => ({ type: 'ECOSYSTEM', events: list }))
  const advisory: Advisory = {
    id: 'A',
    aliases: [],
    upstream: [],
    severity: [],
    affected: [{ ecosystem, name: 'a', ranges, versions }],
    malicious: false,
    source: 'osv',
  }
  return withoutNeedlessVersions(advisory).affected[0]?.versions ?? []
}

test('a list that the ranges cover goes; one version outside keeps all of it', () => {
  assert.deepEqual(versionsLeft('PyPI', ['1.0', '1.5rc1', '1.9'], [{ introduced: '0' }, { fixed: '2.0' }]), [])
  assert.deepEqual(
    versionsLeft('PyPI', ['1.0', '3.5'], [{ introduced: '3' }, { introduced: '0' }, { fixed: '2.0' }, { lastAffected: '3.5' }]),
    [],
  )
  assert.deepEqual(versionsLeft('PyPI', ['1.0', '2.0'], [{ introduced: '0' }, { fixed: '2.0' }]), ['1.0', '2.0'])
  assert.deepEqual(versionsLeft('PyPI', ['1.0'], [{ introduced: '1.1' }, { fixed: '2.0' }]), ['1.0'])
  assert.deepEqual(versionsLeft('PyPI', ['1.0', 'not-a-version'], [{ introduced: '0' }]), ['1.0', 'not-a-version'])
  assert.deepEqual(
    versionsLeft('PyPI', ['1.0'], [{ introduced: '0' }, { fixed: '2.0' }, { fixed: '3.0' }]),
    ['1.0'],
    'events that do not alternate',
  )
  assert.deepEqual(versionsLeft('PyPI', ['1.0'], [{ introduced: '0' }, { limit: '3.0' }]), ['1.0'], 'limits are left to matching')
  assert.deepEqual(versionsLeft('OSS-Fuzz', ['1.0'], [{ introduced: '0' }]), ['1.0'], 'no order is known here')
  assert.deepEqual(versionsLeft('PyPI', ['1.0']), ['1.0'], 'no range')
})

test('no version that was affected is forgotten', () => {
  const number = fc.nat(9).map(String)
  const pair = fc.tuple(fc.nat(8), fc.nat(8), fc.boolean())
  fc.assert(
    fc.property(fc.array(pair, { minLength: 1, maxLength: 3 }), fc.array(number, { minLength: 1, maxLength: 5 }), (pairs, versions) => {
      const sets = pairs.map(([from, length, last]) => ({ from, to: from + length, last }))
      const inside = (version: number): boolean =>
        sets.some(({ from, to, last }) => version >= from && (last ? version <= to : version < to))
      const left = versionsLeft(
        'PyPI',
        versions,
        ...sets.map(({ from, to, last }): AffectedRange['events'] => [
          { introduced: String(from) },
          last ? { lastAffected: String(to) } : { fixed: String(to) },
        ]),
      )
      return left.length > 0 || versions.every((version) => inside(Number(version)))
    }),
  )
})
