import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Advisory, Finding } from '../model/advisory.ts'
import { matchPackageVersion } from './match.ts'
import { advisory, affects, readerOf, type World } from './reader.testing.ts'

function match(ecosystem: string, name: string, version: string, world: World | Advisory[]): Finding[] {
  return matchPackageVersion({ ecosystem, name, version }, readerOf(Array.isArray(world) ? { advisories: world } : world))
}

const low = { type: 'label', value: 'low' } as const
const critical3 = { type: 'CVSS_V3', value: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H' } as const
const medium4 = { type: 'CVSS_V4', value: 'CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:A/VC:N/VI:N/VA:N/SC:L/SI:L/SA:N' } as const

test('match: one finding with all that is known of it', () => {
  const ghsa = advisory('GHSA-aaaa-bbbb-cccc', [affects('npm', 'a', 'introduced 1.0.0, fixed 1.2.0', 'introduced 2.0.0, fixed 2.1.0')], {
    aliases: ['CVE-2024-1'],
    severity: [critical3],
    published: '2024-02-01T00:00:00Z',
  })
  assert.deepEqual(match('npm', 'a', '1.1.0', { advisories: [ghsa], exploited: ['CVE-2024-1'] }), [
    {
      id: 'CVE-2024-1',
      ids: ['CVE-2024-1', 'GHSA-aaaa-bbbb-cccc'],
      ecosystem: 'npm',
      packageName: 'a',
      packageVersion: '1.1.0',
      severity: 'critical',
      score: 9.8,
      severities: [{ id: 'GHSA-aaaa-bbbb-cccc', source: 'osv', severity: 'critical', score: 9.8, vector: critical3.value, chosen: true }],
      severityReason: 'the CVSS 3 score of the record GHSA-aaaa-bbbb-cccc',
      fixedVersion: '1.2.0',
      knownExploited: true,
      malicious: false,
      published: '2024-02-01T00:00:00Z',
      sources: [{ id: 'GHSA-aaaa-bbbb-cccc', source: 'osv' }],
      state: 'affected',
    },
  ])
  assert.deepEqual(match('npm', 'a', '1.2.0', [ghsa]), [])
  assert.deepEqual(match('npm', 'b', '1.1.0', [ghsa]), [])
})

test('match: records of one flaw are one finding, also over a third', () => {
  const records = [
    advisory('PYSEC-2024-1', [affects('PyPI', 'a', 'introduced 0, fixed 2.0')], {
      aliases: ['CVE-2024-1'],
      published: '2024-03-01T00:00:00Z',
    }),
    advisory('GHSA-aaaa-bbbb-cccc', [affects('PyPI', 'A', 'introduced 0, fixed 2.1')], {
      aliases: ['BIT-1'],
      severity: [medium4],
      published: '2024-01-01T00:00:00Z',
    }),
    advisory('BIT-1', [affects('PyPI', 'a', 'introduced 0, fixed 1.9')], {
      aliases: ['CVE-2024-1'],
      severity: [critical3],
      source: 'bitnami',
    }),
    advisory('PYSEC-2024-2', [affects('PyPI', 'a', 'introduced 0')], { aliases: ['CVE-2024-2'] }),
  ]
  const findings = match('PyPI', 'a', '1.0', records)
  assert.deepEqual(
    findings.map(({ id, severity, fixedVersion }) => [id, severity, fixedVersion]),
    [
      ['CVE-2024-1', 'medium', '2.1'],
      ['CVE-2024-2', 'unknown', undefined],
    ],
  )
  assert.deepEqual(findings[0]?.ids, ['CVE-2024-1', 'BIT-1', 'GHSA-aaaa-bbbb-cccc', 'PYSEC-2024-1'])
  assert.deepEqual(findings[0]?.sources, [
    { id: 'BIT-1', source: 'bitnami' },
    { id: 'GHSA-aaaa-bbbb-cccc', source: 'osv' },
    { id: 'PYSEC-2024-1', source: 'osv' },
  ])
  assert.equal(findings[0]?.published, '2024-01-01T00:00:00Z')
})

test("match: a distribution's advisory that lists several CVEs is as many flaws", () => {
  const dsa = advisory('DSA-1-1', [affects('Debian:12', 'a', 'introduced 0, fixed 1.0-3')], {
    upstream: ['CVE-2024-1', 'CVE-2024-2', 'CVE-2024-3'],
  })
  const tracked = advisory('DEBIAN-CVE-2024-2', [affects('Debian:12', 'a', 'introduced 0, fixed 1.0-2')], { upstream: ['CVE-2024-2'] })
  const findings = match('Debian:12', 'a', '1.0-1', { advisories: [dsa, tracked], exploited: ['CVE-2024-3'] })
  assert.deepEqual(
    findings.map(({ id, ids, fixedVersion, knownExploited }) => [id, ids, fixedVersion, knownExploited]),
    [
      ['CVE-2024-1', ['CVE-2024-1', 'DSA-1-1'], '1.0-3', false],
      ['CVE-2024-2', ['CVE-2024-2', 'DEBIAN-CVE-2024-2', 'DSA-1-1'], '1.0-3', false],
      ['CVE-2024-3', ['CVE-2024-3', 'DSA-1-1'], '1.0-3', true],
    ],
  )
})

test("match: a distribution's advisory with one CVE, or none, is one flaw; GitHub's with several is one too", () => {
  const one = advisory('DSA-2-1', [affects('Debian:12', 'a', 'introduced 0, fixed 2-1')], {
    aliases: ['CVE-2024-1'],
    upstream: ['CVE-2024-1'],
  })
  const none = advisory('DSA-3-1', [affects('Debian:12', 'a', 'introduced 0, fixed 2-1')])
  assert.deepEqual(
    match('Debian:12', 'a', '1-1', [one, none]).map(({ id, ids }) => [id, ids]),
    [
      ['CVE-2024-1', ['CVE-2024-1', 'DSA-2-1']],
      ['DSA-3-1', ['DSA-3-1']],
    ],
  )
  const several = advisory('GHSA-aaaa-bbbb-cccc', [affects('npm', 'a', 'introduced 0')], { aliases: ['CVE-2024-2', 'CVE-2024-1'] })
  assert.deepEqual(
    match('npm', 'a', '1.0.0', [several]).map(({ ids }) => ids),
    [['CVE-2024-1', 'CVE-2024-2', 'GHSA-aaaa-bbbb-cccc']],
  )
})

test("match: the public id is the CVE, else the GHSA, else the record's own", () => {
  const ids = (id: string, aliases: string[]): string | undefined =>
    match('npm', 'a', '1.0.0', [advisory(id, [affects('npm', 'a', 'introduced 0')], { aliases })])[0]?.id
  assert.equal(ids('SNYK-1', ['GHSA-aaaa-bbbb-cccc', 'CVE-2024-1']), 'CVE-2024-1')
  assert.equal(ids('SNYK-1', ['A-1', 'GHSA-aaaa-bbbb-cccc']), 'GHSA-aaaa-bbbb-cccc')
  assert.equal(ids('SNYK-1', ['A-1']), 'SNYK-1')
})

test('match: one distribution release never speaks for another (osv-scanner#1950)', () => {
  const records = [
    advisory('DEBIAN-CVE-2024-1', [affects('Debian:11', 'a', 'introduced 0'), affects('Debian:12', 'a', 'introduced 0, fixed 1.0-1')], {
      upstream: ['CVE-2024-1'],
    }),
    advisory('X-1', [affects('Ubuntu:Pro:22.04:LTS', 'a', 'introduced 0'), affects('Ubuntu:22.04:LTS', 'b', 'introduced 0')]),
  ]
  assert.deepEqual(match('Debian:12', 'a', '1.0-1', records), [])
  assert.deepEqual(
    match('Debian:11', 'a', '1.0-1', records).map(({ id }) => id),
    ['CVE-2024-1'],
  )
  assert.deepEqual(match('Debian:13', 'a', '0.1-1', records), [])
  assert.deepEqual(match('Ubuntu:22.04:LTS', 'a', '1.0-1', records), [])
})

test("match: a record of the whole family speaks for each release, and Ubuntu's with or without LTS (osv.dev#4230)", () => {
  assert.equal(match('Alpine:v3.20', 'a', '1.0-r0', [advisory('X-1', [affects('Alpine', 'a', 'introduced 0, fixed 1.0-r1')])]).length, 1)
  assert.equal(match('Ubuntu:22.04:LTS', 'a', '1.0-1', [advisory('X-1', [affects('Ubuntu:22.04', 'a', 'introduced 0')])]).length, 1)
  assert.equal(match('Debian', 'a', '1.0-1', [advisory('X-1', [affects('Debian:12', 'a', 'introduced 0')])]).length, 0)
})

test('match: a record of a module stream judges that stream alone, and any other no stream', () => {
  const el9 = (name: string, fixed: string, modules?: string[]) => ({
    ...affects('AlmaLinux:9', name, `introduced 0, fixed ${fixed}`),
    ...(modules !== undefined && { modules }),
  })
  const world = [
    advisory('ALSA-1', [el9('nodejs', '1:20.11.1-1.module_el9.3.0+88+29afeaa2', ['nodejs:20'])]),
    advisory('ALSA-2', [el9('nodejs', '1:18.20.4-1.module_el9.4.0+110+6e5d0f9b', ['nodejs:18', 'nodejs-devel:18'])]),
    advisory('ALSA-3', [el9('nodejs', '1:24.0.0-1.module_el9.7.0+209+ecf6523e', [])]),
    // From a database that was made before streams were read.
    advisory('ALSA-4', [el9('nodejs', '1:24.0.0-2.module_el9.7.0+209+ecf6523e')]),
    advisory('ALSA-5', [el9('nodejs', '1:30.0.0-1.el9')]),
  ]
  const ids = (version: string, module?: string) =>
    matchPackageVersion(
      { ecosystem: 'AlmaLinux:9', name: 'nodejs', version, ...(module !== undefined && { module }) },
      readerOf({ advisories: world }),
    ).map(({ id }) => id)
  assert.deepEqual(ids('1:18.10.0-3.module_el9.1.0+15+c2f4cd1f', 'nodejs:18'), ['ALSA-2', 'ALSA-3', 'ALSA-4'])
  assert.deepEqual(ids('1:20.10.0-1.module_el9.3.0+80+aaaa', 'nodejs:20'), ['ALSA-1', 'ALSA-3', 'ALSA-4'])
  assert.deepEqual(ids('1:18.10.0-3.module_el9.1.0+15+c2f4cd1f'), ['ALSA-1', 'ALSA-2', 'ALSA-3', 'ALSA-4'])
  assert.deepEqual(ids('1:16.20.2-8.el9'), ['ALSA-5'])
})

test('match: records that name the repository speak of the release', () => {
  const world = [
    advisory('RHSA-1', [affects('Red Hat:enterprise_linux:9::appstream', 'a', 'introduced 0, fixed 0:2-1.el9')]),
    advisory('RHSA-2', [affects('Red Hat:rhel_eus:9.2::appstream', 'a', 'introduced 0, fixed 0:2-1.el9_2')]),
    advisory('SUSE-1', [affects('SUSE:Linux Enterprise Module for Basesystem 15 SP6', 'a', 'introduced 0, fixed 2-1')]),
    advisory('SUSE-2', [affects('SUSE:Linux Enterprise Server 15 SP6-LTSS', 'a', 'introduced 0, fixed 2-1')]),
  ]
  assert.deepEqual(
    match('Red Hat:enterprise_linux:9', 'a', '1-1.el9', world).map(({ id }) => id),
    ['RHSA-1'],
  )
  assert.deepEqual(
    match('SUSE:Linux Enterprise Server 15 SP6', 'a', '1-1', world).map(({ id }) => id),
    ['SUSE-1'],
  )
  assert.deepEqual(match('Red Hat:enterprise_linux:8', 'a', '1-1.el8', world), [])
})

test('match: withdrawn records are none', () => {
  assert.deepEqual(
    match('npm', 'a', '1.0.0', [advisory('X-1', [affects('npm', 'a', 'introduced 0')], { withdrawn: '2024-01-01T00:00:00Z' })]),
    [],
  )
})

test('match: PyPI names are one in any spelling', () => {
  assert.equal(
    match('PyPI', 'zope-interface', '1.0', [advisory('X-1', [affects('PyPI', 'Zope.Interface', 'introduced 0, fixed 2.0')])]).length,
    1,
  )
})

test("severity: the distribution's own word, else the record's vectors, else its CVE's, else unknown", () => {
  const severityOf = (own: Advisory['severity'], recorded: Advisory['severity'], ofCve: Advisory['severity']): unknown => {
    const record = advisory('DEBIAN-CVE-2024-1', [{ ...affects('Debian:12', 'a', 'introduced 0'), severity: own }], {
      upstream: ['CVE-2024-1'],
      severity: recorded,
    })
    const [finding] = match('Debian:12', 'a', '1-1', { advisories: [record], severities: { 'CVE-2024-1': ofCve } })
    return [finding?.severity, finding?.score]
  }
  assert.deepEqual(severityOf([low], [critical3], [critical3]), ['low', undefined])
  assert.deepEqual(severityOf([], [critical3, low], []), ['low', undefined])
  assert.deepEqual(severityOf([], [critical3, medium4], [low]), ['medium', 5.1])
  assert.deepEqual(severityOf([], [], [critical3]), ['critical', 9.8])
  assert.deepEqual(severityOf([], [], []), ['unknown', undefined])
})

test('match: malicious packages', () => {
  const [finding] = match('npm', 'evil', '6.6.6', [advisory('MAL-2024-1', [affects('npm', 'evil', 'introduced 0')], { malicious: true })])
  assert.deepEqual([finding?.id, finding?.malicious, finding?.fixedVersion], ['MAL-2024-1', true, undefined])
})

test('match: a version that cannot be compared is a finding of its own state, with no fix promised', () => {
  const record = advisory('GHSA-aaaa-bbbb-cccc', [affects('npm', 'a', 'introduced 0, fixed 1.2.0')])
  for (const version of ['latest', '', 'x'.repeat(1_000_000)]) {
    const [finding] = match('npm', 'a', version, [record])
    assert.deepEqual([finding?.state, finding?.fixedVersion], ['unknown-version', undefined])
  }
  assert.equal(
    match('Nonsense:1', 'a', '1.0', [advisory('X-1', [affects('Nonsense:1', 'a', 'introduced 0, fixed 1')])])[0]?.state,
    'unknown-version',
  )
})

test('match: a branch has no place among the releases, and each release has', () => {
  const record = advisory('GHSA-aaaa-bbbb-cccc', [affects('Packagist', 'a/b', 'introduced 2.0, fixed 2.1')])
  for (const branch of ['dev-main', '2.x-dev']) assert.equal(match('Packagist', 'a/b', branch, [record])[0]?.state, 'unknown-version')
  assert.equal(match('Packagist', 'A/B', 'v2.0.5', [record])[0]?.state, 'affected')
  assert.deepEqual(match('Packagist', 'a/b', '2.1.0', [record]), [])
})

test('match: names of NuGet are one in any case, and Drupal packages are Composer packages', () => {
  const nuget = advisory('X-1', [affects('NuGet', 'Newtonsoft.Json', 'introduced 0, fixed 13.0.1')])
  assert.equal(match('NuGet', 'newtonsoft.json', '12.0.3', [nuget]).length, 1)
  const drupal = advisory('X-1', [affects('Packagist:https://packages.drupal.org/8', 'drupal/token', 'introduced 0, fixed 1.9.0')])
  assert.equal(match('Packagist', 'drupal/token', '1.8.0', [drupal]).length, 1)
  assert.deepEqual(match('npm', 'drupal/token', '1.8.0', [drupal]), [])
})

test('fix: the smallest version above that every record of the flaw calls cured', () => {
  const fixOf = (version: string, ...ranges: string[][]): string | undefined =>
    match(
      'npm',
      'a',
      version,
      ranges.map((own, at) => advisory(`X-${at}`, [affects('npm', 'a', ...own)], { aliases: ['CVE-2024-1'] })),
    )[0]?.fixedVersion
  assert.equal(fixOf('1.1.0', ['introduced 1.0.0, fixed 1.10.0', 'introduced 2.0.0, fixed 2.0.5']), '1.10.0')
  assert.equal(fixOf('2.0.1', ['introduced 1.0.0, fixed 1.10.0', 'introduced 2.0.0, fixed 2.0.5']), '2.0.5')
  assert.equal(fixOf('1.1.0', ['introduced 0, fixed 1.2.0'], ['introduced 0, fixed 1.3.0']), '1.3.0')
  assert.equal(
    fixOf('1.1.0', ['introduced 0, fixed 1.2.0'], ['introduced 0, lastAffected 1.2.5', 'introduced 1.2.9, fixed 1.4.0']),
    '1.4.0',
  )
  assert.equal(fixOf('1.1.0', ['introduced 0, fixed 1.2.0'], ['introduced 0']), undefined)
  assert.equal(fixOf('1.1.0', ['introduced 0, lastAffected 1.2.0']), undefined)
  const many = Array.from({ length: 500 }, (_, at) => `introduced 0, fixed 2.${at}.0`)
  assert.equal(fixOf('1.1.0', many), '2.499.0')
})

test('match: the gravest first, then by id, whatever order the records come in', () => {
  const record = fc.record({
    number: fc.integer({ min: 1, max: 12 }),
    cves: fc.uniqueArray(fc.constantFrom('CVE-2024-1', 'CVE-2024-2', 'CVE-2024-3', 'CVE-2024-4', 'GHSA-aaaa-bbbb-cccc'), { maxLength: 3 }),
    fixed: fc.integer({ min: 0, max: 9 }),
    severity: fc.constantFrom<Advisory['severity'][]>([], [low], [critical3], [medium4]),
    distribution: fc.boolean(),
  })
  const world = fc.uniqueArray(record, { selector: ({ number }) => number, maxLength: 8 }).map((entries) =>
    entries.map(({ number, cves, fixed, severity, distribution }) =>
      advisory(distribution ? `DSA-${number}-1` : `CVE-2023-${number}`, [affects('Debian:12', 'a', `introduced 0, fixed 1.${fixed}-1`)], {
        upstream: cves,
        severity,
      }),
    ),
  )
  const worlds = world.chain((records) =>
    fc.tuple(fc.constant(records), fc.shuffledSubarray(records, { minLength: records.length, maxLength: records.length })),
  )
  fc.assert(
    fc.property(worlds, ([records, shuffled]) => {
      const findings = match('Debian:12', 'a', '1.3-1', records)
      assert.deepEqual(match('Debian:12', 'a', '1.3-1', shuffled), findings)
      assert.equal(new Set(findings.map(({ id }) => id)).size, findings.length)
      const affected = records.filter(({ affected: [entry] }) =>
        entry?.ranges[0]?.events.some((event) => 'fixed' in event && Number(event.fixed.slice(2, -2)) > 3),
      )
      assert.deepEqual(new Set(findings.flatMap(({ sources }) => sources.map(({ id }) => id))), new Set(affected.map(({ id }) => id)))
    }),
    { numRuns: 500 },
  )
  const order = match('npm', 'a', '1.0.0', [
    advisory('B-1', [affects('npm', 'a', 'introduced 0')], { severity: [low] }),
    advisory('C-1', [affects('npm', 'a', 'introduced 0')], { severity: [critical3] }),
    advisory('A-1', [affects('npm', 'a', 'introduced 0')], { severity: [low] }),
    advisory('D-1', [affects('npm', 'a', 'introduced 0')]),
  ])
  assert.deepEqual(
    order.map(({ id }) => id),
    ['C-1', 'A-1', 'B-1', 'D-1'],
  )
})

test('hostile: a record with ten thousand events and as many aliases, and a thousand records', () => {
  const events = Array.from({ length: 5000 }, (_, at) => `introduced 1.${at * 2}.0, fixed 1.${at * 2 + 1}.0`).join(', ')
  const aliases = Array.from({ length: 10_000 }, (_, at) => `X-${at}`)
  const records = [
    advisory('GHSA-aaaa-bbbb-cccc', [affects('npm', 'a', events)], { aliases }),
    ...Array.from({ length: 1000 }, (_, at) =>
      advisory(`Y-${at}`, [affects('npm', 'a', 'introduced 0, fixed 1.9999.0')], { aliases: [`X-${at * 3}`] }),
    ),
  ]
  const reader = readerOf({ advisories: records })
  const began = performance.now()
  const findings = matchPackageVersion({ ecosystem: 'npm', name: 'a', version: '1.4000.5' }, reader)
  assert.deepEqual(
    findings.map(({ ids, fixedVersion }) => [ids.length, fixedVersion]),
    [[11_001, '1.9999.0']],
  )
  assert.ok(performance.now() - began < 3000)
})
