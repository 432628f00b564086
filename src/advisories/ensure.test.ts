import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { LazaretError } from '../kit/errors.ts'
import { openAdvisories } from './database.ts'
import { ensureDatabase } from './ensure.ts'
import { importAdvisories } from './import.ts'
import { currentRevision } from './revisions.ts'
import { statusOf } from './status.ts'
import { now, osvRecord, temporaryFolder, writeLines } from './test-support.ts'

const bundle = join(import.meta.dirname, '../../data/advisories')

test('the first start lays the bundle down, later ones leave it', async (t) => {
  const folder = temporaryFolder(t)
  const started = performance.now()
  await ensureDatabase(folder)
  t.diagnostic(`first start: ${Math.round(performance.now() - started)} ms`)
  const again = performance.now()
  await ensureDatabase(folder)
  t.diagnostic(`later start: ${(performance.now() - again).toFixed(2)} ms`)
  assert.equal(currentRevision(folder)?.counter, 1)
  const head = JSON.parse(readFileSync(join(bundle, 'snapshot.json'), 'utf8')) as {
    sha256: string
    file: string
    records: number
    ecosystems: Record<string, number>
  }
  assert.equal(
    createHash('sha256')
      .update(readFileSync(join(bundle, head.file)))
      .digest('hex'),
    head.sha256,
  )
  const status = statusOf(folder, now)
  assert.equal(status.records, head.records)
  assert.deepEqual(Object.fromEntries(status.ecosystems.map(({ ecosystem, records }) => [ecosystem, records])), head.ecosystems)
})

test('the bundle knows what it is made of, and judges no more than that', async (t) => {
  const folder = temporaryFolder(t)
  await ensureDatabase(folder)
  const advisories = openAdvisories(folder)
  t.after(() => advisories.close())
  const fixOf = (ecosystem: string, name: string, id: string): unknown =>
    advisories
      .about(ecosystem, name)
      .find((advisory) => advisory.id === id)
      ?.affected[0]?.ranges.at(-1)
      ?.events.at(-1)
  assert.deepEqual(fixOf('Debian:11', 'xorg-server', 'DSA-5380-1'), { fixed: '2:1.20.11-1+deb11u6' })
  assert.deepEqual(fixOf('Debian:12', 'glibc', 'DEBIAN-CVE-2024-2961'), { fixed: '2.36-9+deb12u6' })
  assert.deepEqual(fixOf('Alpine:v3.10', 'apk-tools', 'ALPINE-CVE-2021-36159'), undefined, 'the list of 3.10 is of 2020')
  assert.ok(fixOf('Alpine:edge', 'openssl', 'ALPINE-CVE-2023-0286') !== undefined)
  assert.ok(
    advisories.about('PyPI', 'Jinja2').length > 5 &&
      advisories.about('npm', 'lodash').length > 0 &&
      advisories.about('Wolfi', 'openssl').length > 0,
  )
  assert.equal(advisories.isKnownExploited('CVE-2021-44228'), true)
  assert.ok(advisories.severityOf(['CVE-2021-44228']).some(({ type }) => type === 'CVSS_V3'))
  for (const covered of [
    'Debian:11',
    'Debian:12',
    'Alpine:v3.17',
    'Alpine:edge',
    'PyPI',
    'npm',
    'Wolfi',
    'AlmaLinux:9',
    'RubyGems',
    'Packagist',
    'Hex',
  ])
    assert.equal(advisories.covers(covered), true, covered)
  for (const silent of [
    'Debian',
    'Debian:13',
    'Debian:6',
    'Alpine',
    'Alpine:v3.12',
    'Alpine:v3.18',
    'Alpine:v3.22',
    'Ubuntu:22.04:LTS',
    'Maven',
    'NuGet',
    'Red Hat',
  ])
    assert.equal(advisories.covers(silent), false, silent)
  assert.deepEqual(
    [advisories.coverage('Debian:12')?.depth, advisories.coverage('Debian:11')?.asOf, advisories.coverage('npm')?.depth],
    ['thin', '2023-04-01T00:00:00Z', 'thin'],
  )
})

test('asking is quick: 400 packages cold, and held ones in microseconds', async (t) => {
  const folder = temporaryFolder(t)
  await ensureDatabase(folder)
  const advisories = openAdvisories(folder)
  t.after(() => advisories.close())
  const names = ['openssl', 'curl', 'glibc', 'zlib', 'expat', 'apache2', 'nginx', 'perl', 'bash', 'tiff']
  const packages = Array.from({ length: 400 }, (_, index) => names[index] ?? `package-${index}`)
  const cold = performance.now()
  for (const name of packages) advisories.about('Debian:12', name)
  const coldMs = performance.now() - cold
  const warm = performance.now()
  for (let turn = 0; turn < 100; turn++) for (const name of packages) advisories.about('Debian:12', name)
  const warmMicros = ((performance.now() - warm) / 40_000) * 1000
  t.diagnostic(`400 packages cold: ${coldMs.toFixed(1)} ms; warm: ${warmMicros.toFixed(2)} µs each`)
  assert.ok(warmMicros < 50 && coldMs < 1000)
})

test('a newer bundle replaces an older one, but nothing that was imported', async (t) => {
  const folder = temporaryFolder(t)
  const older = join(temporaryFolder(t), 'bundle')
  cpSync(bundle, older, { recursive: true })
  const head = JSON.parse(readFileSync(join(older, 'snapshot.json'), 'utf8')) as { date: string; sha256: string }
  writeFileSync(join(older, 'snapshot.json'), JSON.stringify({ ...head, date: '2020-01-01T00:00:00Z', sha256: 'older' }))
  await ensureDatabase(folder, older)
  await ensureDatabase(folder)
  assert.deepEqual(
    [currentRevision(folder)?.counter, currentRevision(folder)?.wholeSince, currentRevision(folder)?.bundle],
    [2, 2, head.sha256],
  )
  await ensureDatabase(folder, older)
  assert.equal(currentRevision(folder)?.counter, 2, 'not backwards')
  const report = await importAdvisories([writeLines(folder, 'a.jsonl', [osvRecord('A-1', 'Debian:12', 'zlib', '9')])], folder, { now })
  assert.deepEqual([report.changed, currentRevision(folder)?.counter], [true, 3])
  const advisories = openAdvisories(folder)
  t.after(() => advisories.close())
  assert.deepEqual(advisories.changedSince('000002-20261123'), [{ ecosystem: 'Debian:12', name: 'zlib' }])
  assert.equal(advisories.changedSince('000001-20200101'), 'all')
  await ensureDatabase(folder, older)
  await ensureDatabase(folder)
  assert.equal(currentRevision(folder)?.counter, 3)
})

test('a bundle that is damaged or missing is an error, and leaves nothing that looks like a database', async (t) => {
  const broken = join(temporaryFolder(t), 'bundle')
  cpSync(bundle, broken, { recursive: true })
  const packed = readFileSync(join(broken, 'snapshot.sqlite.zst'))
  const unavailable = (error: unknown): boolean => error instanceof LazaretError && error.code === 'UNAVAILABLE'
  packed[Math.floor(packed.length / 2)] = (packed[Math.floor(packed.length / 2)] ?? 0) ^ 0xff
  for (const bytes of [packed, packed.subarray(0, 100_000), Buffer.alloc(0)]) {
    writeFileSync(join(broken, 'snapshot.sqlite.zst'), bytes)
    const folder = temporaryFolder(t)
    await assert.rejects(ensureDatabase(folder, broken), unavailable)
    assert.equal(currentRevision(folder), undefined)
  }
  await assert.rejects(ensureDatabase(temporaryFolder(t), temporaryFolder(t)), unavailable)
})

test('several processes may start at once', async (t) => {
  const folder = temporaryFolder(t)
  await Promise.all(
    [ensureDatabase(folder), ensureDatabase(folder), ensureDatabase(folder)].map((start) =>
      start.catch((error: unknown) => assert.fail(String(error))),
    ),
  )
  assert.equal(currentRevision(folder)?.counter, 1)
})
