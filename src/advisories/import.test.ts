import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import type { SeverityClaim } from '../model/advisory.ts'
import { exportAdvisories } from './export.ts'
import { importAdvisories } from './import.ts'
import { currentRevision } from './revisions.ts'
import { statusOf } from './status.ts'
import { ask, bring, fixes, importOptions, now, osvRecord, temporaryFolder, writeLines, zipOf } from './test-support.ts'

test('records are found by package, cut to that package, in each way that data comes', async (t) => {
  const folder = temporaryFolder(t)
  const two = osvRecord('A-1', 'Debian:12', 'a', '1', { upstream: ['CVE-2024-1'], published: '2025-01-01T00:00:00Z' })
  ;(two['affected'] as unknown[]).push(
    ...(osvRecord('A-1', 'Debian:11', 'a', '0.9')['affected'] as unknown[]),
    ...(osvRecord('A-1', 'Debian:12', 'b', '3')['affected'] as unknown[]),
  )
  writeFileSync(join(folder, 'one.json'), JSON.stringify(two, undefined, 2))
  writeFileSync(
    join(folder, 'list.json.gz'),
    gzipSync(JSON.stringify([osvRecord('A-2', 'Debian:12', 'a', '2'), osvRecord('A-3', 'PyPI', 'My.Package', '2')])),
  )
  writeFileSync(
    join(folder, 'all.zip'),
    zipOf([
      { name: 'A-4.json', bytes: Buffer.from(JSON.stringify(osvRecord('A-4', 'npm', '@scope/x', '2'))) },
      { name: 'x', bytes: Buffer.from('{"no":"record"}') },
    ]),
  )
  writeFileSync(
    join(folder, 'lines.zst'),
    zstdCompressSync(Buffer.from(`${JSON.stringify(osvRecord('A-5', 'Debian', 'a', '5'))}\n{"broken\n`)),
  )
  const report = await importAdvisories(
    ['one.json', 'list.json.gz', 'all.zip', 'lines.zst'].map((name) => join(folder, name)),
    folder,
    importOptions,
  )
  assert.equal(report.revision, '000001-20260101')
  assert.deepEqual(
    report.files.map(({ path, read, added, dropped }) => [path.split('/').at(-1), read, added, dropped]),
    [
      ['one.json', 1, 1, []],
      ['list.json.gz', 2, 2, []],
      [
        'all.zip',
        1,
        1,
        [{ reason: 'no form of advisory data that is known', count: 1, examples: ['all.zip:x: before the first that is'] }],
      ],
      ['lines.zst', 1, 1, [{ reason: 'not JSON', count: 1, examples: ['line 2'] }]],
    ],
  )
  ask(folder, (advisories) => {
    assert.deepEqual(
      advisories.about('Debian:12', 'a').map(({ id }) => id),
      ['A-1', 'A-2', 'A-5'],
      'a record without a suffix speaks of every release',
    )
    assert.deepEqual(advisories.about('Debian:12', 'a')[0], {
      id: 'A-1',
      aliases: [],
      upstream: ['CVE-2024-1'],
      published: '2025-01-01T00:00:00Z',
      modified: '2026-01-01T00:00:00Z',
      severity: [],
      malicious: false,
      source: 'osv',
      affected: [
        { ecosystem: 'Debian:12', name: 'a', ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed: '1' }] }], versions: [] },
      ],
    })
    assert.equal(advisories.about('Debian:12', 'a'), advisories.about('Debian:12', 'a'), 'held')
    assert.deepEqual(
      advisories.about('Debian:11', 'a').map(({ id }) => id),
      ['A-1', 'A-5'],
    )
    assert.deepEqual(
      advisories.about('PyPI', 'my-package').map(({ id }) => id),
      ['A-3'],
    )
    assert.deepEqual(
      advisories.about('npm', '@scope/x').map(({ id }) => id),
      ['A-4'],
    )
    for (const name of ["a' OR 1=1 --", '', 'a\u0000', '__proto__', 'x'.repeat(100_000)])
      assert.deepEqual(advisories.about('Debian:13', name), [])
  })
})

test('the newest modified wins, wherever it came from; a withdrawn record speaks no more', async (t) => {
  const folder = temporaryFolder(t)
  await bring(folder, [
    osvRecord('A-1', 'npm', 'a', '1', { modified: '2026-02-01T00:00:00Z' }),
    osvRecord('A-1', 'npm', 'a', '9', { modified: '2026-01-01T00:00:00Z' }),
    osvRecord('A-1', 'npm', 'a', '2', { modified: '2026-02-01T00:00:00Z' }),
  ])
  assert.deepEqual(fixes(folder, 'npm', 'a'), [['A-1', ['2']]], 'and the last of two with the same date')
  const moved = await bring(folder, [osvRecord('A-1', 'npm', 'b', '3', { modified: '2026-03-01T00:00:00Z' })])
  assert.deepEqual(
    [moved.files[0]?.replaced, fixes(folder, 'npm', 'a'), fixes(folder, 'npm', 'b')],
    [1, [], [['A-1', ['3']]]],
    'what it no longer says is gone',
  )
  await bring(folder, [osvRecord('A-1', 'npm', 'b', '3', { modified: '2026-04-01T00:00:00Z', withdrawn: '2026-04-01T00:00:00Z' })])
  assert.deepEqual(fixes(folder, 'npm', 'b'), [])
  const late = await bring(folder, [osvRecord('A-1', 'npm', 'b', '3', { modified: '2026-03-01T00:00:00Z' })])
  assert.deepEqual([late.changed, late.files[0]?.kept, fixes(folder, 'npm', 'b')], [false, 1, []], 'an old copy does not bring it back')
})

test('a distribution’s list speaks for its packages only, and twice in one import adds up', async (t) => {
  const folder = temporaryFolder(t)
  const recipe = (branch: string, pkgname: string, version: string): unknown => ({
    branch,
    repo: 'main',
    pkgname,
    secfixes: { [version]: ['CVE-2024-0001'] },
  })
  await bring(folder, [
    recipe('v3.19', 'a', '1-r0'),
    recipe('v3.20', 'a', '2-r0'),
    recipe('v3.20', 'b', '2-r0'),
    recipe('v3.20', 'a', '3-r0'),
  ])
  assert.deepEqual(fixes(folder, 'Alpine:v3.20', 'a'), [['ALPINE-CVE-2024-0001', ['2-r0', '3-r0']]])
  await bring(folder, [recipe('v3.20', 'a', '4-r0')])
  assert.deepEqual(
    [fixes(folder, 'Alpine:v3.20', 'a'), fixes(folder, 'Alpine:v3.20', 'b'), fixes(folder, 'Alpine:v3.19', 'a')],
    [[['ALPINE-CVE-2024-0001', ['4-r0']]], [['ALPINE-CVE-2024-0001', ['2-r0']]], [['ALPINE-CVE-2024-0001', ['1-r0']]]],
  )
  await bring(folder, [recipe('v3.20', 'a', '0.1-r0'), recipe('v3.10', 'c', '5-r0')], { asOf: () => '2020-06-08T00:00:00Z' })
  assert.deepEqual(
    [fixes(folder, 'Alpine:v3.20', 'a'), fixes(folder, 'Alpine:v3.10', 'c')],
    [[['ALPINE-CVE-2024-0001', ['4-r0']]], [['ALPINE-CVE-2024-0001', ['5-r0']]]],
    'an older list adds what nothing speaks of',
  )
})

test('severity is asked by any id of a record, and never taken from a distribution', async (t) => {
  const folder = temporaryFolder(t)
  const severity = [{ type: 'CVSS_V3', score: 'CVSS:3.1/AV:N' }]
  await bring(folder, [
    osvRecord('GHSA-1', 'npm', 'a', '1', { aliases: ['CVE-2024-1'], severity }),
    osvRecord('PYSEC-1', 'PyPI', 'a', '1', { aliases: ['CVE-2024-1', 'GHSA-1'], database_specific: { severity: 'HIGH' } }),
    osvRecord('USN-1', 'Ubuntu:22.04:LTS', 'a', '1', { upstream: ['CVE-2024-1'], severity: [{ type: 'Ubuntu', score: 'low' }] }),
    {
      ...osvRecord('BIT-1', 'Bitnami', 'a', '1', { aliases: ['CVE-2024-2'] }),
      affected: [{ package: { ecosystem: 'Bitnami', name: 'a' }, ranges: [{ type: 'SEMVER', events: [{ introduced: '0' }] }], severity }],
    },
    osvRecord('GHSA-3', 'npm', 'a', '1', { aliases: ['CVE-2024-3'], severity, withdrawn: '2026-01-01T00:00:00Z' }),
    { id: 'PSF-1', modified: '2026-01-01T00:00:00Z', aliases: ['CVE-2024-4'], severity },
  ])
  ask(folder, (advisories) => {
    const vector = { type: 'CVSS_V3', value: 'CVSS:3.1/AV:N' }
    assert.deepEqual(claimsOf(advisories.severityOf(['CVE-2024-1'])), [vector, { type: 'label', value: 'high' }])
    assert.deepEqual(claimsOf(advisories.severityOf(['nothing', 'PYSEC-1'])), [{ type: 'label', value: 'high' }])
    assert.deepEqual(claimsOf(advisories.severityOf(['CVE-2024-2'])), [vector])
    assert.deepEqual(claimsOf(advisories.severityOf(['CVE-2024-3', 'USN-1'])), [])
    assert.deepEqual(claimsOf(advisories.severityOf(['CVE-2024-4'])), [vector])
  })
})

test('KEV: known exploitation, and what it changes elsewhere', async (t) => {
  const folder = temporaryFolder(t)
  await bring(folder, [osvRecord('DSA-1', 'Debian:12', 'a', '1', { upstream: ['CVE-2024-3094'] }), osvRecord('A-2', 'npm', 'b', '1')])
  const before = currentRevision(folder)?.revision ?? ''
  assert.equal(
    ask(folder, (advisories) => advisories.isKnownExploited('CVE-2024-3094')),
    false,
  )
  const report = await bring(folder, [{ catalogVersion: '1', vulnerabilities: [{ cveID: 'CVE-2024-3094', dateAdded: '2024-03-30' }] }])
  assert.equal(report.files[0]?.exploited, 1)
  ask(folder, (advisories) => {
    assert.equal(advisories.isKnownExploited('CVE-2024-3094'), true)
    assert.deepEqual(advisories.changedSince(before), [{ ecosystem: 'Debian:12', name: 'a' }])
    assert.deepEqual(advisories.changedSince(advisories.revision), [])
    assert.equal(advisories.changedSince('something'), 'all')
    assert.equal(advisories.changedSince('000099-20260101'), 'all')
  })
})

test('a stray record does not make an ecosystem covered; its bulk does, and so does who vouches for it', async (t) => {
  const folder = temporaryFolder(t)
  const many = (count: number, ecosystem: string): unknown[] =>
    Array.from({ length: count }, (_, index) => osvRecord(`${ecosystem}-${index}`, ecosystem, `p${index}`, '1'))
  const first = await bring(folder, [...many(249, 'Alpine:v3.22'), ...many(250, 'Alpine:v3.21'), ...many(1, 'Debian:13')])
  assert.deepEqual(first.newlyCovered, ['Alpine:v3.21'])
  ask(folder, (advisories) => {
    assert.deepEqual(
      ['Alpine:v3.22', 'Alpine:v3.21', 'Alpine', 'Alpine:v3.2', 'Debian:13', 'Debian', ''].map((ecosystem) => advisories.covers(ecosystem)),
      [false, true, false, false, false, false, false],
    )
    assert.equal(advisories.about('Alpine:v3.22', 'p1').length, 1, 'what is known is told all the same')
    assert.deepEqual(advisories.coverage('Alpine:v3.21'), {
      ecosystem: 'Alpine:v3.21',
      depth: 'whole',
      asOf: '2026-01-01T00:00:00Z',
      note: 'imported: 250 records',
    })
  })
  const stray = await bring(
    folder,
    many(2, 'Alpine:v3.22').map((record) => ({ ...(record as object), id: `more-${Math.random()}` })),
  )
  assert.deepEqual(stray.newlyCovered, [], 'strays do not add up over imports')
  const vouched = await bring(folder, many(1, 'Debian:13'), {
    coverage: [{ ecosystem: 'Debian:13', depth: 'thin', asOf: '2026-01-01T00:00:00Z', note: 'vouched for' }],
  })
  assert.deepEqual(vouched.newlyCovered, ['Debian:13'])
})

test('hostile records are counted and change nothing', async (t) => {
  const folder = temporaryFolder(t)
  const big = JSON.stringify(osvRecord('A-2', 'npm', 'a', '1', { details: 'x'.repeat(10 * 1024 * 1024) }))
  const deep = `{"id":"A-3","affected":${'['.repeat(300_000)}${']'.repeat(300_000)}}`
  const report = await bring(folder, [
    osvRecord('A-1', 'npm', 'a', '1'),
    big,
    deep,
    '{"id":"A-4\u0000"}',
    '{"id":"A-5","affected":[{"package":{"ecosystem":"npm","name":"a\\u0000b"},"versions":["1"]}]}',
    '{"__proto__":{"id":"A-6"}}',
    'null',
    '7',
    '[]',
    osvRecord('A-1', 'npm', 'a', '1'),
  ])
  assert.deepEqual([report.files[0]?.read, report.files[0]?.added, report.files[0]?.unchanged], [2, 1, 1])
  assert.equal(
    report.files[0]?.dropped.reduce((sum, { count }) => sum + count, 0),
    8,
  )
  assert.deepEqual(fixes(folder, 'npm', 'a'), [['A-1', ['1']]])
})

test('an export carries everything to another place', async (t) => {
  const folder = temporaryFolder(t)
  const withdrawn = osvRecord('A-9', 'npm', 'z', '1', { withdrawn: '2026-01-01T00:00:00Z' })
  await bring(
    folder,
    [
      osvRecord('A-1', 'Debian:12', 'a', '1', { aliases: ['CVE-2024-1'], severity: [{ type: 'CVSS_V3', score: 'CVSS:3.1/AV:N' }] }),
      osvRecord('A-2', 'npm', 'a', '2', { database_specific: { severity: 'LOW' } }),
      withdrawn,
    ],
    { coverage: [{ ecosystem: 'Debian:12', depth: 'whole', asOf: '2026-01-01T00:00:00Z', note: 'all' }] },
  )
  await importAdvisories(
    [writeLines(folder, 'kev.json', [{ catalogVersion: '1', vulnerabilities: [{ cveID: 'CVE-2024-3094', dateAdded: '2024-03-30' }] }])],
    folder,
    importOptions,
  )
  const path = join(folder, 'out.jsonl.zst')
  assert.deepEqual(await exportAdvisories(folder, path), { revision: currentRevision(folder)?.revision, records: 3 })
  const elsewhere = temporaryFolder(t)
  await importAdvisories([path], elsewhere, importOptions)
  const all = (place: string): unknown =>
    ask(place, (advisories) => [
      advisories.about('Debian:12', 'a'),
      advisories.about('npm', 'a'),
      advisories.severityOf(['A-2']),
      advisories.isKnownExploited('CVE-2024-3094'),
      advisories.coverage('Debian:12'),
    ])
  assert.deepEqual(all(elsewhere), all(folder))
  const { records, withdrawn: gone, exploited, ecosystems, ageDays } = statusOf(elsewhere, now)
  assert.deepEqual(
    {
      records,
      gone,
      exploited,
      ageDays,
      ecosystems: ecosystems.map(({ ecosystem, records: count, coverage }) => [ecosystem, count, coverage?.depth]),
    },
    {
      records: 2,
      gone: 1,
      exploited: 1,
      ageDays: 327,
      ecosystems: [
        ['Debian:12', 1, 'whole'],
        ['npm', 1, undefined],
      ],
    },
  )
})

test('Ubuntu: a long-term release is one with and without LTS; Ubuntu Pro is a channel of its own', async (t) => {
  const folder = temporaryFolder(t)
  const coverage = [{ ecosystem: 'Ubuntu:22.04', depth: 'whole' as const, asOf: '2026-01-01T00:00:00Z', note: 'n' }]
  await bring(
    folder,
    [
      osvRecord('USN-1', 'Ubuntu:22.04', 'a', '1'),
      osvRecord('USN-2', 'Ubuntu:22.04:LTS', 'a', '2'),
      osvRecord('USN-3', 'Ubuntu:Pro:22.04:LTS', 'a', '3'),
      osvRecord('USN-4', 'Ubuntu:20.04:LTS', 'a', '4'),
    ],
    { coverage },
  )
  ask(folder, (advisories) => {
    const ids = (ecosystem: string) => advisories.about(ecosystem, 'a').map(({ id }) => id)
    for (const release of ['Ubuntu:22.04', 'Ubuntu:22.04:LTS']) {
      assert.deepEqual(ids(release).sort(), ['USN-1', 'USN-2'], release)
      assert.equal(advisories.covers(release), true, release)
    }
    assert.deepEqual(ids('Ubuntu:Pro:22.04:LTS'), ['USN-3'])
    for (const other of ['Ubuntu:Pro:22.04:LTS', 'Ubuntu:20.04:LTS', 'Ubuntu', 'Ubuntu:24.04:LTS'])
      assert.equal(advisories.covers(other), false, other)
  })
})

function claimsOf(claims: readonly SeverityClaim[]): SeverityClaim[] {
  return claims.map(({ type, value }) => ({ type, value }))
}
