// What a source may do wrong, each time: the revision in force stays, the row says why, and another source is read all the same.
import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { cannotMount } from '../../../test/support/mounts.ts'
import { must } from '../../../test/support/run.ts'
import { scratch } from '../../../test/support/scratch.ts'
import { lacking } from '../../../test/support/tools.ts'
import { advisoryFolder, currentRevision } from '../revisions.ts'
import { ask, fixes, temporaryFolder, zipOf } from '../test-support.ts'
import { changeOsv, type FakeSource, fakeSource, quickTools, record, serveOsv } from './source.testing.ts'
import { readState } from './state.ts'
import { updateAdvisories, type UpdateReport, type UpdateRequest } from './update.ts'

const day = '2026-11-20T10:00:00Z'
const id = 'PYSEC-2026-9901'
const kevOf = (cve: string, released: string) =>
  Buffer.from(
    JSON.stringify({
      catalogVersion: released.slice(0, 10),
      dateReleased: released,
      vulnerabilities: [{ cveID: cve, dateAdded: '2026-11-01' }],
    }),
  )

interface World {
  folder: string
  source: FakeSource
  update(more?: Partial<UpdateRequest>, now?: number): Promise<UpdateReport>
}

/** A source with one record, read once, and a second source beside it. */
async function world(t: TestContext, folder = temporaryFolder(t)): Promise<World> {
  const source = await fakeSource(t)
  serveOsv(source, 'PyPI', [record(id, 'left', '1.0', day)], new Date(day))
  source.files.set('/kev.json', { bytes: kevOf('CVE-2026-9901', '2026-11-20T10:00:00Z') })
  const update = (more: Partial<UpdateRequest> = {}, now?: number) => {
    const tools = quickTools({ tries: 2, recordBytes: 100_000 })
    const sources = [
      { name: 'osv' as const, base: source.base },
      { name: 'kev' as const, base: `${source.base}/kev.json` },
    ]
    return updateAdvisories(
      { sources, ecosystems: ['PyPI'], held: [], ...more },
      folder,
      now === undefined ? tools : { ...tools, now: () => now },
    )
  }
  const report = await update()
  assert.deepEqual(
    report.sources.map(({ state }) => state),
    ['good', 'good'],
  )
  return { folder, source, update }
}

const rowOf = (report: UpdateReport, name: string) => report.sources.find(({ source }) => source === name) ?? assert.fail(name)

/** The archive is fetched again whatever the list says, and what comes is broken: OSV alone fails, KEV brings something new. */
async function brokenArchive(t: TestContext, bytes: Buffer, words: RegExp, readLimits: UpdateRequest['readLimits'] = {}): Promise<void> {
  const { folder, source, update } = await world(t)
  source.files.set('/PyPI/all.zip', { bytes })
  source.files.set('/kev.json', { bytes: kevOf('CVE-2026-9902', '2026-11-21T10:00:00Z') })
  const report = await update({ whole: true, readLimits })
  const row = rowOf(report, 'osv')
  assert.equal(row.state, 'failed')
  assert.match(row.problem ?? '', words)
  assert.ok(row.goodAt !== undefined && row.failures === 1)
  assert.deepEqual(fixes(folder, 'PyPI', 'left'), [[id, ['1.0']]], 'what was read before stays')
  assert.equal(rowOf(report, 'kev').state, 'good')
  assert.ok(
    ask(folder, (advisories) => advisories.isKnownExploited('CVE-2026-9902')),
    'a bad source stops no other',
  )
  // … and is read again when it is well again.
  serveOsv(source, 'PyPI', [record(id, 'left', '2.0', '2026-11-22T00:00:00Z')])
  assert.equal(rowOf(await update(), 'osv').state, 'good')
  assert.deepEqual(fixes(folder, 'PyPI', 'left'), [[id, ['2.0']]])
}

const entry = (name: string, value: unknown) => ({ name, bytes: Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)) })

test('HTML with status 200', (t) => brokenArchive(t, Buffer.from('<html>sign in</html>'), /a page of HTML/))
test('a truncated archive', (t) =>
  brokenArchive(t, zipOf([entry('a.json', record(id, 'left', '3.0', day))]).subarray(0, 100), /no zip that can be read/))
test('an archive with nothing in it', (t) => brokenArchive(t, zipOf([]), /no advisory data that is understood/))
test('a changed schema: all that came is left out', (t) =>
  brokenArchive(
    t,
    zipOf([1, 2, 3].map((n) => entry(`${n}.json`, { id: `PYSEC-2026-991${n}`, modified: day, affected: 'see elsewhere' }))),
    /3 of 3 records of .* can't be read, so none is taken: affected/,
  ))
test('a zip bomb', (t) =>
  brokenArchive(t, zipOf([{ name: 'a.json', bytes: Buffer.alloc(8_000_000, 0x20) }]), /more than allowed/, { entryBytes: 1_000_000 }))
test('an archive whose directory lies about sizes', (t) =>
  brokenArchive(
    t,
    zipOf([{ name: 'a.json', bytes: Buffer.from(JSON.stringify(record(id, 'x', '1', day))), claimedSize: 3 }]),
    /no zip that can be read|more than allowed/,
  ))

test('entries with ../ and absolute paths are names that are shown, and write nothing', async (t) => {
  const { folder, source, update } = await world(t)
  const names = ['../../../../../../tmp/lazaret-escaped.json', '/etc/lazaret-escaped.json', '..\\escaped.json', 'a\u0000b.json']
  source.files.set('/PyPI/all.zip', {
    bytes: zipOf(names.map((name, n) => entry(name, record(`PYSEC-2026-992${n}`, `p${n}`, '1.0', day)))),
  })
  const report = await update({ whole: true })
  assert.deepEqual([rowOf(report, 'osv').problem, rowOf(report, 'osv').brought?.counts.added], [undefined, 4])
  assert.deepEqual(readdirSync(join(advisoryFolder(folder), 'fetched')), [])
  assert.deepEqual(readdirSync(folder), ['advisories'])
})

test('bad records cost themselves alone, and are counted: large, deep, of markup, of versions that are none', async (t) => {
  const { folder, source, update } = await world(t)
  const good = [1, 2, 3, 4, 5, 6].map((n) => entry(`${n}.json`, record(`PYSEC-2026-993${n}`, `p${n}`, '1.0', day)))
  const bad = [
    entry('large.json', { ...record('PYSEC-2026-9940', 'large', '1.0', day), details: 'x'.repeat(9 * 1024 * 1024) }),
    entry('deep.json', `{"id":"PYSEC-2026-9941","modified":"${day}","affected":${'['.repeat(10_000)}${']'.repeat(10_000)}}`),
    entry('markup.json', record('<img src=x onerror=alert(1)>', 'markup', '1.0', day)),
  ]
  const odd = record('PYSEC-2026-9942', 'odd', `${'9'.repeat(500)}.\u202e1 -- '; DROP TABLE records`, day)
  source.files.set('/PyPI/all.zip', { bytes: zipOf([...good, ...bad, entry('odd.json', odd)]) })
  const { brought, state } = rowOf(await update({ whole: true }), 'osv')
  assert.deepEqual([state, brought?.counts.in, brought?.counts.added, brought?.counts.dropped], ['good', 10, 7, 3])
  const why = JSON.stringify(brought?.counts.why)
  for (const words of [/larger than 8388608 bytes/, /not an id/, /affected/]) assert.match(why, words)
  assert.deepEqual(fixes(folder, 'PyPI', 'p1'), [['PYSEC-2026-9931', ['1.0']]])
})

test('many records with one id are one record: the newest', async (t) => {
  const { folder, source, update } = await world(t)
  const many = Array.from({ length: 20_000 }, (_, n) =>
    entry(`${n}.json`, record('PYSEC-2026-9950', 'many', `1.${n}`, `2026-11-20T10:00:00.${String(n % 1000).padStart(3, '0')}Z`)),
  )
  source.files.set('/PyPI/all.zip', { bytes: zipOf(many) })
  const { brought } = rowOf(await update({ whole: true }), 'osv')
  const { added = 0, replaced = 0, unchanged = 0, kept = 0 } = brought?.counts ?? {}
  assert.deepEqual([brought?.counts.in, added, added + replaced + unchanged + kept], [20_000, 1, 20_000])
  assert.equal((fixes(folder, 'PyPI', 'many') as unknown[]).length, 1)
})

test('single records that are wrong are left out and counted, and the rest of the change is taken', async (t) => {
  const { folder, source, update } = await world(t)
  const later = '2026-11-21T00:00:00Z'
  const ids = ['PYSEC-2026-9961', 'PYSEC-2026-9962', 'PYSEC-2026-9963', 'PYSEC-2026-9964', 'PYSEC-2026-9965']
  changeOsv(
    source,
    'PyPI',
    ids.map((one, n) => record(one, `q${n}`, '1.0', later)),
  )
  source.files.set(`/PyPI/${ids[1]}.json`, { bytes: Buffer.from('<html>no</html>') })
  source.files.set(`/PyPI/${ids[2]}.json`, { bytes: Buffer.from(JSON.stringify(record('PYSEC-2026-9999', 'other', '1.0', later))) })
  source.files.set(`/PyPI/${ids[3]}.json`, { bytes: Buffer.alloc(200_000, 0x20) })
  source.files.set(`/PyPI/${ids[4]}.json`, { bytes: Buffer.from(`{"id":"${ids[4]}","modified":"${later}","x":${'['.repeat(10_000)}`) })
  const { brought, state } = rowOf(await update(), 'osv')
  assert.deepEqual([state, brought?.how, brought?.counts.in, brought?.counts.added, brought?.counts.dropped], ['good', 'delta', 5, 1, 4])
  assert.deepEqual(
    brought?.counts.why.map(({ reason, count }) => [reason, count]),
    [
      ['not a JSON object', 2],
      ['not the record that was asked for', 1],
      ['larger than 100000 bytes', 1],
    ],
  )
  assert.deepEqual(fixes(folder, 'PyPI', 'q0'), [[ids[0], ['1.0']]])
  assert.deepEqual(fixes(folder, 'PyPI', 'other'), [])
})

test('a list with NUL, markup and rubbish in it: what is a row is read, the rest is counted', async (t) => {
  const { source, folder, update } = await world(t)
  changeOsv(source, 'PyPI', [record('PYSEC-2026-9971', 'nul', '1.0', '2026-11-21T00:00:00Z')])
  const rows = [
    '2026-11-21T00:00:00Z,PYSEC-2026-9971',
    'a\u0000b\u0000',
    '2026-11-21T00:00:00Z,<script>alert(1)</script>',
    '2026-11-21T00:00:00Z,../../kev',
    `${'9'.repeat(5000)}`,
  ]
  source.files.set('/PyPI/modified_id.csv', { bytes: Buffer.from(`${rows.join('\n')}\n`) })
  source.asked.length = 0
  const { brought } = rowOf(await update(), 'osv')
  assert.deepEqual(
    source.asked.filter((path) => path.endsWith('.json')),
    ['/PyPI/PYSEC-2026-9971.json', '/kev.json'],
  )
  assert.deepEqual([brought?.counts.added, brought?.counts.dropped], [1, 4])
  assert.deepEqual(fixes(folder, 'PyPI', 'nul'), [['PYSEC-2026-9971', ['1.0']]])
  source.files.set('/PyPI/modified_id.csv', { bytes: Buffer.from('2026-\u0000\u0000\n\u0000,\u0000\n') })
  assert.match(rowOf(await update(), 'osv').problem ?? '', /modified_id\.csv names no record: not a row of the list/)
})

test('a server that fails in the middle of a change: nothing of it is taken, and nothing of it is lost', async (t) => {
  const { source, folder, update } = await world(t)
  changeOsv(
    source,
    'PyPI',
    ['1', '2', '3'].map((n) => record(`PYSEC-2026-998${n}`, `m${n}`, '1.0', '2026-11-21T00:00:00Z')),
  )
  source.odd = (_request, response, path) => path.endsWith('9983.json') && response.writeHead(500).end() !== undefined
  assert.match(rowOf(await update(), 'osv').problem ?? '', /PYSEC-2026-9983\.json answers 500/)
  assert.deepEqual(fixes(folder, 'PyPI', 'm1'), [])
  source.odd = undefined
  assert.equal(rowOf(await update(), 'osv').brought?.counts.added, 3)
})

test('one that goes back in time: a list, an archive, a catalogue', async (t) => {
  const { source, folder, update } = await world(t)
  serveOsv(source, 'PyPI', [record(id, 'left', '0.5', '2026-10-01T00:00:00Z')], new Date('2026-10-01T00:00:00Z'))
  source.files.set('/kev.json', { bytes: kevOf('CVE-2026-9999', '2026-10-01T00:00:00Z') })
  const report = await update()
  assert.match(rowOf(report, 'osv').problem ?? '', /goes back in time: its newest of 1 rows is of 2026-10-01T00:00:00Z, and 2026-11-20T/)
  assert.match(
    rowOf(report, 'kev').problem ?? '',
    /goes back in time: it is of 2026-10-01T00:00:00Z, and 2026-11-20T10:00:00Z was read already/,
  )
  assert.ok(!ask(folder, (advisories) => advisories.isKnownExploited('CVE-2026-9999')))
  assert.deepEqual(fixes(folder, 'PyPI', 'left'), [[id, ['1.0']]])
})

test('a clock that was set back: nothing is lost once it is right again, and no age is below nothing', async (t) => {
  const { source, folder, update } = await world(t)
  changeOsv(source, 'PyPI', [record('PYSEC-2026-9985', 'zz-late', '1.0', '2026-11-23T00:00:00Z'), record(id, 'left', '1.0', day)])
  const back = await update({}, Date.parse('2020-01-01T00:00:00Z'))
  assert.match(rowOf(back, 'osv').problem ?? '', /names no record: dated after today/)
  assert.ok(back.sources.every(({ ageSeconds }) => ageSeconds === 0))
  assert.deepEqual(fixes(folder, 'PyPI', 'zz-late'), [])
  await update()
  assert.deepEqual(fixes(folder, 'PyPI', 'zz-late'), [['PYSEC-2026-9985', ['1.0']]])
})

test('a server that asks to be left alone is, until then', async (t) => {
  const { source, update } = await world(t)
  source.odd = (_request, response, path) =>
    path.startsWith('/PyPI/') && response.writeHead(429, { 'retry-after': '3600' }).end() !== undefined
  await update()
  source.odd = undefined
  source.asked.length = 0
  assert.match(rowOf(await update(), 'osv').problem ?? '', /asked to be left alone until/)
  assert.deepEqual(source.asked, ['/kev.json'])
  assert.equal(rowOf(await update({}, Date.now() + 3_700_000), 'osv').state, 'good')
})

test('two updates at once: one is refused, and the other is whole', async (t) => {
  const { folder, source, update } = await world(t)
  changeOsv(source, 'PyPI', [record('PYSEC-2026-9986', 'twice', '1.0', '2026-11-21T00:00:00Z')])
  const outcomes = await Promise.allSettled([update(), update()])
  const refused = outcomes.flatMap((one) => (one.status === 'rejected' ? [(one.reason as { code: string }).code] : []))
  assert.deepEqual(refused, ['CONFLICT'])
  assert.deepEqual(fixes(folder, 'PyPI', 'twice'), [['PYSEC-2026-9986', ['1.0']]])
})

test('what was known of the sources is damaged: all is read whole again', async (t) => {
  const { folder, source, update } = await world(t)
  writeFileSync(join(advisoryFolder(folder), 'sources.json'), '{"parts":')
  assert.match(readState(folder).damaged ?? '', /damaged/)
  source.asked.length = 0
  assert.ok((await update()).sources.every(({ state }) => state === 'good'))
  assert.ok(source.asked.includes('/PyPI/all.zip'))
})

test('after another revision that lacks what was read, all is read whole again', async (t) => {
  const { folder, source, update } = await world(t)
  const path = join(advisoryFolder(folder), 'current')
  const revision = currentRevision(folder)
  writeFileSync(path, JSON.stringify({ ...revision, counter: 99, wholeSince: 99 }))
  source.asked.length = 0
  await update()
  assert.ok(source.asked.includes('/PyPI/all.zip'))
})

test('SIGKILL while it fetches and while it imports: the one before stays, and the next goes on', async (t) => {
  const { folder, source, update } = await world(t)
  const before = currentRevision(folder)?.revision
  const entryFile = join(import.meta.dirname, '../../flow/advisories/update-entry.ts')
  const request = { sources: [{ name: 'osv', base: source.base }], ecosystems: ['PyPI'], held: [], whole: true }
  source.files.set('/PyPI/all.zip', {
    bytes: zipOf(Array.from({ length: 3000 }, (_, n) => entry(`${n}.json`, record(`PYSEC-3026-${n}`, `k${n}`, '1.0', day)))),
  })
  for (const at of ['/PyPI/modified_id.csv', '/PyPI/all.zip', 'the import']) {
    const child = fork(entryFile, [], {
      execArgv: ['--disable-warning=ExperimentalWarning'],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    const ended = once(child, 'exit')
    source.odd = (_request, _response, path) => path === at && child.kill('SIGKILL')
    const watching = setInterval(() => {
      if (at === 'the import' && readdirSync(advisoryFolder(folder)).some((name) => name.startsWith('work-'))) child.kill('SIGKILL')
    }, 2)
    child.send({ request, dataFolder: folder, network: { allowPrivate: [] } })
    const [, signal] = (await ended) as [number | null, string | null]
    clearInterval(watching)
    assert.equal(signal, 'SIGKILL', at)
    assert.equal(currentRevision(folder)?.revision, before, at)
    assert.deepEqual(fixes(folder, 'PyPI', 'left'), [[id, ['1.0']]], at)
  }
  source.odd = undefined
  assert.equal(rowOf(await update({ whole: true }), 'osv').brought?.counts.added, 3000)
  assert.deepEqual(
    readdirSync(advisoryFolder(folder)).filter((name) => name.startsWith('work-')),
    [],
  )
})

const skip = lacking('mount', 'umount') || (await cannotMount())

test('a full disk in the middle: it says so, gives the room back, and goes on when there is some', { skip }, async (t) => {
  await using stack = new AsyncDisposableStack()
  const disk = join(await scratch(stack, 'fetch-full'), 'disk')
  mkdirSync(disk)
  await must('mount', ['-t', 'tmpfs', '-o', 'size=120m', 'tmpfs', disk])
  const { folder, source, update } = await world(t, disk)
  const before = currentRevision(folder)?.revision
  const filler = join(disk, 'filler')
  await must('sh', ['-c', 'head -c 200000000 /dev/zero > "$1" 2>/dev/null || true', 'sh', filler])
  changeOsv(source, 'PyPI', [record('PYSEC-2026-9987', 'full', '1.0', '2026-11-21T00:00:00Z')])
  await assert.rejects(update(), { code: 'UNAVAILABLE', message: /the disk is full/ })
  assert.equal(currentRevision(folder)?.revision, before)
  assert.deepEqual(fixes(folder, 'PyPI', 'left'), [[id, ['1.0']]])
  await must('truncate', ['-s', '-8000000', filler]) // room for what is fetched, none for what is made of it
  const short = rowOf(await update(), 'osv')
  assert.match(short.problem ?? '', /the disk is full/)
  assert.equal(currentRevision(folder)?.revision, before)
  await must('rm', [filler])
  assert.equal(rowOf(await update(), 'osv').state, 'good')
  assert.deepEqual(fixes(folder, 'PyPI', 'full'), [['PYSEC-2026-9987', ['1.0']]])
})

test('EPSS under gzip with NUL in it', async (t) => {
  const folder = temporaryFolder(t)
  const source = await fakeSource(t)
  const text =
    '#model_version:v2025.03.14,score_date:2026-11-20T00:00:00+0000\ncve,epss,percentile\nCVE-2026-9901,0.5,0.9\nCVE-2026-9902,0.4,0.8\nCVE-\u00002026-1,0.1,0.1\n'
  source.files.set('/epss', { bytes: gzipSync(text) })
  const report = await updateAdvisories(
    { sources: [{ name: 'epss', base: `${source.base}/epss` }], ecosystems: undefined, held: [] },
    folder,
    quickTools(),
  )
  const { brought } = rowOf(report, 'epss')
  assert.deepEqual([brought?.counts.in, brought?.counts.facts, brought?.counts.dropped], [3, 2, 1])
})
