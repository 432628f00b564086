import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Advisory, DistributionWord } from '../model/advisory.ts'
import type { PackageVersion } from '../model/package.ts'
import { matchPackageVersion } from './match.ts'
import { advisory, affects, readerOf } from './reader.testing.ts'
import { clearancesOf } from './words.ts'

const subject: PackageVersion = { ecosystem: 'Debian:12', name: 'a', version: '1.0-1' }

function record(id: string, ecosystem: string, word: DistributionWord, ...ranges: string[]): Advisory {
  return advisory(id, [{ ...affects(ecosystem, 'a', ...ranges), word }], { upstream: [id.replace('DEBIAN-', '')], source: 'debian' })
}

test("words: the distribution's word stands with a finding that has no fix, the gravest of several", () => {
  const wordIn = (...records: Advisory[]) => matchPackageVersion(subject, readerOf({ advisories: records }))[0]?.word
  for (const word of ['end-of-life', 'will-not-fix', 'postponed', 'no-advisory', 'fix-pending'] as const)
    assert.equal(wordIn(record('DEBIAN-CVE-2024-1', 'Debian:12', word, 'introduced 0')), word)
  const later = advisory('DSA-1-1', [{ ...affects('Debian:12', 'a', 'introduced 0'), word: 'will-not-fix' }], { upstream: ['CVE-2024-1'] })
  assert.equal(wordIn(record('DEBIAN-CVE-2024-1', 'Debian:12', 'postponed', 'introduced 0'), later), 'will-not-fix')
  assert.equal(wordIn(record('DEBIAN-CVE-2024-1', 'Debian:12', 'postponed', 'introduced 0, fixed 1.0-2')), undefined)
})

test('words: what it says of another release is not said of this one', () => {
  const world = readerOf({ advisories: [record('DEBIAN-CVE-2024-1', 'Debian:11', 'not-affected')] })
  assert.deepEqual(clearancesOf(subject, [], world), [])
})

test('words: "not affected" is no finding, and is kept by name; a finding of the same flaw outweighs it', () => {
  const cleared = record('DEBIAN-CVE-2024-1', 'Debian:12', 'not-affected')
  const world = readerOf({ advisories: [cleared] })
  assert.deepEqual(matchPackageVersion(subject, world), [])
  assert.deepEqual(clearancesOf(subject, [], world), [
    {
      id: 'CVE-2024-1',
      ids: ['CVE-2024-1', 'DEBIAN-CVE-2024-1'],
      ecosystem: 'Debian:12',
      packageName: 'a',
      packageVersion: '1.0-1',
      word: 'not-affected',
      sources: [{ id: 'DEBIAN-CVE-2024-1', source: 'debian' }],
    },
  ])
  const both = readerOf({
    advisories: [cleared, advisory('DSA-1-1', [affects('Debian:12', 'a', 'introduced 0, fixed 1.0-2')], { upstream: ['CVE-2024-1'] })],
  })
  const findings = matchPackageVersion(subject, both)
  assert.equal(findings.length, 1)
  assert.deepEqual(clearancesOf(subject, findings, both), [])
})
