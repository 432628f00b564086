import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Finding, SeverityClaim } from '../model/advisory.ts'
import { matchPackageVersion } from './match.ts'
import { advisory, affects, readerOf, type World } from './reader.testing.ts'

const low: SeverityClaim = { type: 'label', value: 'low' }
const high: SeverityClaim = { type: 'label', value: 'high' }
const critical3: SeverityClaim = { type: 'CVSS_V3', value: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H' }
const medium4: SeverityClaim = { type: 'CVSS_V4', value: 'CVSS:4.0/AV:L/AC:L/AT:N/PR:H/UI:N/VC:L/VI:L/VA:L/SC:N/SI:N/SA:N' }

function findingOf(ecosystem: string, world: World): Finding | undefined {
  return matchPackageVersion({ ecosystem, name: 'a', version: '1.0.0' }, readerOf(world))[0]
}

test("severity: the distribution's word is chosen, and what others say stands beside it", () => {
  const finding = findingOf('Debian:12', {
    advisories: [
      advisory('DEBIAN-CVE-2024-1', [{ ...affects('Debian:12', 'a', 'introduced 0'), severity: [low] }], {
        upstream: ['CVE-2024-1'],
        source: 'debian',
      }),
    ],
    severities: { 'CVE-2024-1': [critical3, high] },
  })
  assert.equal(finding?.severity, 'low')
  assert.equal(finding.severityReason, 'the word of the distribution for its package, in DEBIAN-CVE-2024-1')
  assert.deepEqual(finding.severities, [
    { id: 'DEBIAN-CVE-2024-1', source: 'debian', severity: 'low', chosen: true },
    { id: 'CVE-2024-1', source: 'osv', severity: 'critical', score: 9.8, vector: critical3.value, chosen: false },
    { id: 'CVE-2024-1', source: 'osv', severity: 'high', chosen: false },
  ])
})

test('severity: of two records of one flaw the newer kind of score is chosen, and named', () => {
  const finding = findingOf('npm', {
    advisories: [
      advisory('GHSA-aaaa-bbbb-cccc', [affects('npm', 'a', 'introduced 0')], { aliases: ['CVE-2024-1'], severity: [medium4] }),
      advisory('X-1', [affects('npm', 'a', 'introduced 0')], { aliases: ['CVE-2024-1'], severity: [critical3] }),
    ],
  })
  assert.deepEqual(
    [finding?.severity, finding?.score, finding?.severityReason],
    ['medium', finding?.score, 'the CVSS 4 score of the record GHSA-aaaa-bbbb-cccc'],
  )
  assert.deepEqual(
    finding?.severities?.map(({ id, severity, chosen }) => [id, severity, chosen]),
    [
      ['GHSA-aaaa-bbbb-cccc', 'medium', true],
      ['X-1', 'critical', false],
    ],
  )
})

test('severity: a record without one takes that of another for the same flaw, by name; without any, that is said', () => {
  const advisories = [advisory('PYSEC-2024-1', [affects('npm', 'a', 'introduced 0')], { aliases: ['CVE-2024-1'] })]
  const finding = findingOf('npm', { advisories, severities: { 'CVE-2024-1': [critical3] } })
  assert.equal(finding?.severityReason, 'the record has none, so the CVSS 3 score of CVE-2024-1 for the same flaw')
  const unrated = findingOf('npm', { advisories })
  assert.deepEqual([unrated?.severity, unrated?.severities, unrated?.severityReason], ['unknown', [], 'no source rates it'])
})

test('EPSS: that of the likeliest CVE stands beside the severity', () => {
  const date = '2026-08-16T00:00:00Z'
  const finding = findingOf('npm', {
    advisories: [advisory('GHSA-aaaa-bbbb-cccc', [affects('npm', 'a', 'introduced 0')], { aliases: ['CVE-2024-1', 'CVE-2024-2'] })],
    probabilities: {
      'CVE-2024-1': { probability: 0.01, percentile: 0.5, date },
      'CVE-2024-2': { probability: 0.2, percentile: 0.9, date },
    },
  })
  assert.deepEqual(finding?.epss, { id: 'CVE-2024-2', probability: 0.2, percentile: 0.9, date })
})

test('hostile: a thousand opinions are cut to a few, the chosen one among them', () => {
  const many = Array.from({ length: 1000 }, (_, at) =>
    advisory(`X-${at}`, [affects('npm', 'a', 'introduced 0')], { aliases: ['CVE-2024-1'], severity: [at === 999 ? critical3 : low] }),
  )
  const finding = findingOf('npm', { advisories: many })
  assert.deepEqual([finding?.severities?.length, finding?.severities?.[0]?.id, finding?.severity], [16, 'X-999', 'critical'])
})
