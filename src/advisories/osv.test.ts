import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Advisory } from '../model/advisory.ts'
import { limits } from './fields.ts'
import { parseOsv } from './osv.ts'
import { now, osvRecord, sharedLines, withoutShared } from './test-support.ts'

const options = { source: 'osv', now }

function parsed(record: unknown): Advisory {
  const result = parseOsv(record, options)
  assert.ok('advisory' in result, JSON.stringify(result))
  return result.advisory
}

function refused(record: unknown): string {
  const result = parseOsv(record, options)
  assert.ok('reason' in result, JSON.stringify(result))
  return result.reason
}

test('a record keeps its facts and nothing else', () => {
  const advisory = parsed({
    schema_version: '1.7.0',
    id: 'GHSA-1',
    aliases: ['CVE-2024-1', 'GHSA-1'],
    related: ['CVE-2024-2'],
    upstream: [],
    published: '2024-01-02T03:04:05.678Z',
    modified: '2024-02-01',
    summary: 'words',
    details: 'more words',
    references: [{ type: 'WEB', url: 'https://a.example' }],
    severity: [
      { type: 'CVSS_V3', score: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H' },
      { type: 'CVSS_V4', score: 'CVSS:4.0/AV:N' },
    ],
    database_specific: { severity: 'MODERATE' },
    affected: [
      {
        package: { ecosystem: 'PyPI', name: 'Zope._Interface' },
        ranges: [
          { type: 'GIT', repo: 'x', events: [{ introduced: '0' }] },
          { type: 'ECOSYSTEM', events: [{ introduced: '0' }, { last_affected: '1.0' }, { introduced: '2' }, { limit: '3' }] },
        ],
        versions: ['0.9', '0.9'],
      },
    ],
  })
  assert.deepEqual(advisory, {
    id: 'GHSA-1',
    aliases: ['CVE-2024-1'],
    upstream: [],
    published: '2024-01-02T03:04:05Z',
    modified: '2024-02-01T00:00:00Z',
    severity: [
      { type: 'CVSS_V3', value: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H' },
      { type: 'CVSS_V4', value: 'CVSS:4.0/AV:N' },
      { type: 'label', value: 'medium' },
    ],
    affected: [
      {
        ecosystem: 'PyPI',
        name: 'zope-interface',
        ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { lastAffected: '1.0' }, { introduced: '2' }, { limit: '3' }] }],
        versions: ['0.9'],
      },
    ],
    malicious: false,
    source: 'osv',
  })
})

test('a GIT range does not hide the ranges beside it, and alone speaks of no package version', () => {
  const git = { type: 'GIT', repo: 'https://a.example', events: [{ introduced: '0' }, { fixed: 'abc' }] }
  const both = parsed({
    id: 'A-1',
    affected: [{ package: { ecosystem: 'npm', name: 'a' }, ranges: [git, { type: 'SEMVER', events: [{ introduced: '0' }] }] }],
  })
  assert.deepEqual(both.affected[0]?.ranges, [{ type: 'SEMVER', events: [{ introduced: '0' }] }])
  assert.deepEqual(
    parsed({ id: 'A-1', affected: [{ package: { ecosystem: 'npm', name: 'a' }, ranges: [git] }, { ranges: [git] }] }).affected,
    [],
  )
})

test('the words of distributions: suffixes stay, urgency becomes severity, related CVEs of an erratum become upstream', () => {
  const debian = parsed({
    ...osvRecord('DEBIAN-CVE-1', 'Debian:12', 'a', '1'),
    affected: [
      {
        package: { ecosystem: 'Debian:12', name: 'a' },
        ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }] }],
        ecosystem_specific: { urgency: 'unimportant' },
      },
    ],
  })
  assert.deepEqual(debian.affected[0]?.severity, [{ type: 'label', value: 'low' }])
  assert.equal(debian.affected[0]?.ecosystem, 'Debian:12')
  assert.deepEqual(parsed(osvRecord('ALSA-1', 'AlmaLinux:9', 'a', '1', { related: ['CVE-2024-1', 'RHSA-1'] })).upstream, ['CVE-2024-1'])
  assert.deepEqual(parsed(osvRecord('ALSA-1', 'AlmaLinux:9', 'a', '1', { related: ['CVE-2024-1'], upstream: ['CVE-2024-2'] })).upstream, [
    'CVE-2024-2',
  ])
  assert.deepEqual(parsed(osvRecord('PYSEC-1', 'PyPI', 'a', '1', { related: ['CVE-2024-1'] })).upstream, [])
  assert.deepEqual(
    parsed(osvRecord('USN-1', 'Ubuntu:22.04:LTS', 'a', '1', { severity: [{ type: 'Ubuntu', score: 'negligible' }] })).severity,
    [{ type: 'label', value: 'low' }],
  )
})

test('an erratum of a module names its stream, and only where its fix was built for one', () => {
  const modular = osvRecord('ALSA-1', 'AlmaLinux:9', 'nodejs', '1:18.20.4-1.module_el9.4.0+110+6e5d0f9b')
  const modulesIn = (record: object) => parsed(record).affected[0]?.modules
  assert.deepEqual(modulesIn({ ...modular, summary: 'Important: nodejs:18 security update' }), ['nodejs:18'])
  assert.deepEqual(modulesIn({ ...modular, summary: 'nodejs bug fix update' }), [])
  assert.deepEqual(modulesIn(modular), [])
  assert.equal(
    modulesIn({ ...osvRecord('ALSA-2', 'AlmaLinux:9', 'pam', '1.5.1-22.el9_5'), summary: 'Important: pam:1.5.1 security update' }),
    undefined,
  )
  assert.equal(modulesIn({ ...osvRecord('GHSA-1', 'npm', 'a', '1.0.module_x'), summary: 'a:1' }), undefined)
})

test('a malicious package without versions is malicious in all of them', () => {
  const advisory = parsed({ id: 'MAL-2024-1', affected: [{ package: { ecosystem: 'npm', name: 'bad' } }] })
  assert.equal(advisory.malicious, true)
  assert.deepEqual(advisory.affected[0]?.ranges, [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }] }])
})

test('dates that cannot be are no dates, and do not outrank others', () => {
  assert.equal(parsed(osvRecord('A-1', 'Go', 'a', '1', { modified: '0001-01-01T00:00:00Z' })).modified, undefined)
  assert.equal(parsed(osvRecord('A-1', 'Go', 'a', '1', { modified: '2027-07-09T00:00:00Z' })).modified, undefined)
  assert.equal(parsed(osvRecord('A-1', 'Go', 'a', '1', { withdrawn: 'yes' })).withdrawn, undefined)
  const dated = parseOsv(osvRecord('A-1', 'Go', 'a', '1', { modified: 'x' }), { ...options, asOf: '2026-01-01T00:00:00Z' })
  assert.equal('advisory' in dated && dated.advisory.modified, '2026-01-01T00:00:00Z')
})

test('what cannot be read is refused with its place', () => {
  const range = (events: unknown): unknown => ({
    id: 'A-1',
    affected: [{ package: { ecosystem: 'npm', name: 'a' }, ranges: [{ type: 'SEMVER', events }] }],
  })
  const cases: [unknown, string][] = [
    [null, 'record: not an object'],
    [[], 'record: not an object'],
    [{}, 'id: missing'],
    [{ id: 7 }, 'id: not a text'],
    [{ id: 'A 1' }, 'id: not an id'],
    [{ id: 'A\u00001' }, 'id: has a control character'],
    [{ id: 'A-1', affected: {} }, 'affected: not a list'],
    [{ id: 'A-1', affected: [{ package: { ecosystem: 'npm' } }] }, 'affected[0].package.name: missing'],
    [
      { id: 'A-1', affected: [{ package: { ecosystem: 'npm', name: 'a\u0000b' }, versions: ['1'] }] },
      'affected[0].package.name: has a control character',
    ],
    [
      { id: 'A-1', affected: [{ package: { ecosystem: 'npm', name: 'a' }, ranges: [{ type: 'OTHER', events: [] }] }] },
      'affected[0].ranges[0].type: neither SEMVER, ECOSYSTEM nor GIT',
    ],
    [range([]), 'affected[0].ranges[0].events: no introduced'],
    [range([{ fixed: '1' }]), 'affected[0].ranges[0].events: no introduced'],
    [range([{ introduced: '0' }, {}]), 'affected[0].ranges[0].events[1]: none of introduced, fixed, last_affected, limit'],
    [range([{ introduced: 0 }]), 'affected[0].ranges[0].events[0].introduced: not a text'],
    [
      { id: 'A-1', aliases: Array.from({ length: limits.ids + 1 }, () => 'x') },
      `aliases: ${limits.ids + 1} entries, more than ${limits.ids}`,
    ],
    [{ id: 'x'.repeat(2000) }, 'id: 2000 characters, more than 1024'],
  ]
  for (const [record, reason] of cases) assert.equal(refused(record), reason)
})

test('prototype keys are data, not power', () => {
  const record = JSON.parse(
    '{"id":"A-1","__proto__":{"withdrawn":"2020-01-01","affected":[{"x":1}]},"constructor":{"a":1},"affected":[{"package":{"ecosystem":"__proto__","name":"constructor"},"versions":["1"]}]}',
  ) as unknown
  const advisory = parsed(record)
  assert.equal(advisory.withdrawn, undefined)
  assert.equal(advisory.affected[0]?.ecosystem, '__proto__')
  assert.equal(({} as Record<string, unknown>)['withdrawn'], undefined)
  assert.equal(refused(JSON.parse('{"__proto__":{"id":"A-1"}}')), 'id: missing')
})

test('any JSON gives a sound record or a reason, and nothing is thrown', () => {
  const text = fc.oneof(
    fc.string({ maxLength: 20 }),
    fc.constantFrom('0', '1.0', 'npm', 'PyPI', 'SEMVER', 'ECOSYSTEM', 'GIT', 'A-1', '2024-01-01', '__proto__'),
  )
  const loose = fc.oneof({ weight: 1, arbitrary: fc.jsonValue({ maxDepth: 2 }) }, { weight: 4, arbitrary: text })
  const shaped = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<unknown> =>
    fc.oneof({ weight: 6, arbitrary }, { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 1 }) })
  const event = shaped(fc.record({ introduced: loose, fixed: loose, last_affected: loose, limit: loose }, { requiredKeys: [] }))
  const range = shaped(fc.record({ type: loose, events: shaped(fc.array(event, { maxLength: 4 })) }, { requiredKeys: [] }))
  const affected = shaped(
    fc.record(
      {
        package: shaped(fc.record({ ecosystem: loose, name: loose })),
        ranges: shaped(fc.array(range, { maxLength: 3 })),
        versions: shaped(fc.array(loose, { maxLength: 3 })),
        severity: loose,
        ecosystem_specific: loose,
      },
      { requiredKeys: [] },
    ),
  )
  const record = shaped(
    fc.record(
      {
        id: fc.oneof(text, loose),
        aliases: shaped(fc.array(loose, { maxLength: 3 })),
        upstream: loose,
        related: loose,
        published: loose,
        modified: loose,
        withdrawn: loose,
        severity: shaped(fc.array(shaped(fc.record({ type: loose, score: loose })), { maxLength: 2 })),
        database_specific: loose,
        affected: shaped(fc.array(affected, { maxLength: 3 })),
      },
      { requiredKeys: ['id'] },
    ),
  )
  fc.assert(
    fc.property(record, (value) => {
      const result = parseOsv(value, options)
      if ('reason' in result) return result.reason.length > 0
      const { advisory } = result
      const texts = [
        advisory.id,
        ...advisory.aliases,
        ...advisory.upstream,
        ...advisory.affected.flatMap((entry) => [
          entry.ecosystem,
          entry.name,
          ...entry.versions,
          ...entry.ranges.flatMap((r) => r.events.flatMap((e) => Object.values(e) as string[])),
        ]),
      ]
      return (
        texts.every((entry) => typeof entry === 'string' && entry !== '' && !/[\u0000-\u001f]/.test(entry)) &&
        advisory.affected.every((entry) => entry.ranges.length + entry.versions.length > 0)
      )
    }),
    { numRuns: 1500 },
  )
})

test('every public OSV record is read', { skip: withoutShared }, () => {
  const files: [string, number][] = [
    ['almalinux', 5637],
    ['bitnami', 7444],
    ['drupal', 591],
    ['ghsa-osv-export', 631],
    ['ghsa-readfile', 4],
    ['govulndb', 4291],
    ['haskell', 35],
    ['kubernetes', 47],
    ['ocaml', 26],
    ['psf', 132],
    ['pypa', 7080],
    ['r', 14],
    ['rustsec', 1206],
  ]
  for (const [file, expected] of files) {
    const records = sharedLines(`${file}.osv.jsonl.zst`)
    assert.equal(records.length, expected, file)
    for (const record of records) parsed(record)
  }
})

test("records of other tools' fixtures are read or refused with a reason", { skip: withoutShared }, () => {
  const results = sharedLines('osv-fixtures-misc.osv.jsonl.zst').map((record) => parseOsv(record, options))
  const refusals = results.flatMap((result) => ('reason' in result ? [result.reason] : []))
  assert.equal(results.length - refusals.length >= 215, true, refusals.join('\n'))
})
