// The sources' own data, as a server that speaks as they do replays it: every record that is served is in a count.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { gzipSync, zstdDecompressSync } from 'node:zlib'
import { ask, sharedAdvisories, sharedLines, temporaryFolder, withoutShared } from '../test-support.ts'
import { changeOsv, fakeSource, quickTools, type Records, serveOsv } from './source.testing.ts'
import { updateAdvisories, type UpdateReport } from './update.ts'

const whole = (file: string) => zstdDecompressSync(readFileSync(join(sharedAdvisories, file)))
const skip = withoutShared

function countsOf(report: UpdateReport, source: string, part = '') {
  const row = report.sources.find((one) => one.source === source && one.part === part) ?? assert.fail(`${source} ${part}`)
  assert.equal(row.problem, undefined)
  const counts = row.brought?.counts ?? assert.fail(source)
  const { added, replaced, unchanged, kept, facts, dropped } = counts
  assert.equal(counts.in, added + replaced + unchanged + kept + facts + dropped, 'every record that came is in one of the counts')
  return { ...counts, how: row.brought?.how, listed: row.brought?.listed }
}

/** Two of these say that they will be changed next year. */
const isDated = (one: Record<string, unknown>) => Date.parse(String(one['modified'])) < Date.now() + 86_400_000

test('OSV: an ecosystem whole, then 500 changes of it', { skip }, async (t) => {
  const folder = temporaryFolder(t)
  const source = await fakeSource(t)
  const records = sharedLines('pypa.osv.jsonl.zst') as Records
  const request = { sources: [{ name: 'osv' as const, base: source.base }], ecosystems: ['PyPI'], held: [] }
  const tools = quickTools()
  serveOsv(source, 'PyPI', records)
  const first = countsOf(await updateAdvisories(request, folder, tools), 'osv', 'PyPI')
  assert.deepEqual([first.how, first.listed, first.in, first.dropped], ['whole', records.filter(isDated).length, records.length, 0])
  const now = new Date().toISOString()
  const changed = new Set(records.slice(0, 500).map(({ id }) => id))
  changeOsv(
    source,
    'PyPI',
    records.map((one) => (changed.has(one['id']) ? { ...one, modified: now, withdrawn: now } : one)),
  )
  const begun = performance.now()
  const second = countsOf(await updateAdvisories(request, folder, tools), 'osv', 'PyPI')
  t.diagnostic(`${records.length} records whole; 500 changes one by one in ${Math.round(performance.now() - begun)} ms`)
  assert.deepEqual([second.how, second.in - second.dropped, second.dropped <= 2], ['delta', 500, true])
  const already = records.slice(0, 500).filter((one) => one['withdrawn'] !== undefined).length
  assert.ok(second.replaced >= 500 - already)
})

test('KEV, EPSS and Alpine, as they publish them', { skip }, async (t) => {
  const folder = temporaryFolder(t)
  const source = await fakeSource(t)
  const kev = whole('cisa-kev.json.zst')
  const epss = whole('epss.csv.zst')
  source.files.set('/kev.json', { bytes: kev })
  source.files.set('/epss.csv.gz', { bytes: gzipSync(epss) })
  const databases = sharedLines('alpine-secdb-2020-06.jsonl.zst') as Record<string, string>[]
  for (const one of databases)
    source.files.set(`/${one['distroversion']}/${one['reponame']}.json`, { bytes: Buffer.from(JSON.stringify(one)) })
  const request = {
    sources: [
      { name: 'kev' as const, base: `${source.base}/kev.json` },
      { name: 'epss' as const, base: `${source.base}/epss.csv.gz` },
      { name: 'alpine' as const, base: source.base },
    ],
    ecosystems: ['Alpine:v3.10', 'Alpine:v3.11', 'npm'],
    held: [],
  }
  const report = await updateAdvisories(request, folder, quickTools())
  const listed = (JSON.parse(kev.toString('utf8')) as { vulnerabilities: unknown[] }).vulnerabilities.length
  const rows = epss.toString('latin1').trimEnd().split('\n').length
  const [inKev, inEpss] = [countsOf(report, 'kev'), countsOf(report, 'epss')]
  assert.deepEqual([inKev.in, inKev.dropped], [listed, 0])
  assert.deepEqual([inEpss.in, inEpss.dropped], [rows, 0])
  for (const part of ['v3.10/main', 'v3.10/community', 'v3.11/main', 'v3.11/community']) {
    const counts = countsOf(report, 'alpine', part)
    t.diagnostic(`alpine ${part}: ${counts.in} in, ${counts.dropped} left out`)
    assert.ok(counts.in > counts.dropped * 10)
  }
  assert.ok(ask(folder, (advisories) => advisories.covers('Alpine:v3.11')))
  assert.ok(
    report.sources.every(({ unproven }) => unproven),
    'this server is not the sources’ own',
  )
  const again = await updateAdvisories(request, folder, quickTools())
  assert.deepEqual([again.changed, again.sources.every(({ state }) => state === 'good')], [false, true])
})

test('Debian’s tracker: what is of today, by its server, though it has no date of its own', async (t) => {
  const folder = temporaryFolder(t)
  const source = await fakeSource(t)
  const tracker = {
    zlib: {
      'CVE-2026-9901': { releases: { bookworm: { status: 'resolved', fixed_version: '1:1.2.13.dfsg-9', urgency: 'not yet assigned' } } },
    },
  }
  source.files.set('/json', { bytes: Buffer.from(JSON.stringify(tracker)) })
  const report = await updateAdvisories(
    { sources: [{ name: 'debian', base: `${source.base}/json` }], ecosystems: undefined, held: [] },
    folder,
    quickTools(),
  )
  const { how, in: came, added } = countsOf(report, 'debian')
  assert.deepEqual([how, came, added], ['whole', 1, 1])
  const found = ask(folder, (advisories) => advisories.about('Debian:12', 'zlib').find(({ id }) => id === 'DEBIAN-CVE-2026-9901'))
  assert.equal(found?.modified, '2026-11-01T00:00:00Z')
})
