import assert from 'node:assert/strict'
import { test } from 'node:test'
import { currentRevision } from '../revisions.ts'
import { ask, fixes, temporaryFolder } from '../test-support.ts'
import { changeOsv, fakeSource, quickTools, record, serveOsv } from './source.testing.ts'
import { readState } from './state.ts'
import { updateAdvisories, type UpdateRequest } from './update.ts'

const day = '2026-11-20T10:00:00Z'
const request = (base: string, more: Partial<UpdateRequest> = {}): UpdateRequest => ({
  sources: [{ name: 'osv', base }],
  ecosystems: ['PyPI'],
  held: [],
  ...more,
})

test('the archive first, then nothing, then each change by itself', async (t) => {
  const folder = temporaryFolder(t)
  const source = await fakeSource(t)
  const old = [record('PYSEC-2026-99001', 'left', '1.0', day), record('PYSEC-2026-99002', 'right', '1.0', day)]
  serveOsv(source, 'PyPI', old)
  const tools = quickTools()
  const first = await updateAdvisories(request(source.base), folder, tools)
  assert.deepEqual(
    first.sources.map(({ source: name, part, state, unproven, problem }) => [name, part, state, unproven, problem]),
    [['osv', 'PyPI', 'good', true, undefined]],
  )
  assert.deepEqual(
    [first.sources[0]?.brought?.how, first.sources[0]?.brought?.listed, first.sources[0]?.brought?.counts],
    ['whole', 2, { in: 2, added: 2, replaced: 0, unchanged: 0, kept: 0, facts: 0, dropped: 0, why: [] }],
  )
  assert.deepEqual(fixes(folder, 'PyPI', 'left'), [['PYSEC-2026-99001', ['1.0']]])
  assert.deepEqual(source.asked, ['/PyPI/modified_id.csv', '/PyPI/all.zip'])

  const before = currentRevision(folder)?.revision
  source.asked.length = 0
  const second = await updateAdvisories(request(source.base), folder, tools)
  assert.deepEqual([second.changed, second.revision, source.asked], [false, before, ['/PyPI/modified_id.csv']])

  source.asked.length = 0
  const later = [
    ...old.slice(1),
    record('PYSEC-2026-99001', 'left', '2.0', '2026-11-21T00:00:00.5Z'),
    record('PYSEC-2026-99003', 'up', '3.0', '2026-11-21T00:00:01Z'),
  ]
  changeOsv(source, 'PyPI', later)
  const third = await updateAdvisories(request(source.base), folder, tools)
  assert.deepEqual(source.asked.slice(0, 1), ['/PyPI/modified_id.csv'])
  assert.deepEqual(source.asked.slice(1).toSorted(), ['/PyPI/PYSEC-2026-99001.json', '/PyPI/PYSEC-2026-99003.json'])
  assert.deepEqual(
    [third.sources[0]?.brought?.how, third.sources[0]?.brought?.counts.added, third.sources[0]?.brought?.counts.replaced],
    ['delta', 1, 1],
  )
  assert.deepEqual(fixes(folder, 'PyPI', 'left'), [['PYSEC-2026-99001', ['2.0']]])
  assert.deepEqual(fixes(folder, 'PyPI', 'up'), [['PYSEC-2026-99003', ['3.0']]])
})

test('another change of the second that was read is still seen, and what was seen is not asked for again', async (t) => {
  const folder = temporaryFolder(t)
  const source = await fakeSource(t)
  const one = record('PYSEC-2026-99001', 'left', '1.0', '2026-11-20T10:00:00.100Z')
  serveOsv(source, 'PyPI', [one])
  const tools = quickTools()
  await updateAdvisories(request(source.base), folder, tools)
  changeOsv(source, 'PyPI', [record('PYSEC-2026-99002', 'right', '1.0', '2026-11-20T10:00:00.050Z'), one])
  source.asked.length = 0
  await updateAdvisories(request(source.base), folder, tools)
  assert.deepEqual(source.asked, ['/PyPI/modified_id.csv', '/PyPI/PYSEC-2026-99002.json'])
  assert.deepEqual(fixes(folder, 'PyPI', 'right'), [['PYSEC-2026-99002', ['1.0']]])
})

test('a record that is withdrawn speaks of nothing any more', async (t) => {
  const folder = temporaryFolder(t)
  const source = await fakeSource(t)
  serveOsv(source, 'PyPI', [record('PYSEC-2026-99001', 'left', '1.0', day)])
  await updateAdvisories(request(source.base), folder, quickTools())
  changeOsv(source, 'PyPI', [record('PYSEC-2026-99001', 'left', '1.0', '2026-11-22T00:00:00Z', { withdrawn: '2026-11-22T00:00:00Z' })])
  const report = await updateAdvisories(request(source.base), folder, quickTools())
  assert.equal(report.sources[0]?.brought?.counts.replaced, 1)
  assert.deepEqual(fixes(folder, 'PyPI', 'left'), [])
})

test('after many changes the archive is fetched again, and an archive older than the list is caught up with', async (t) => {
  const folder = temporaryFolder(t)
  const source = await fakeSource(t)
  const at = (n: number) => `2026-11-21T0${n}:00:00Z`
  serveOsv(source, 'PyPI', [record('PYSEC-2026-99001', 'left', '1.0', day)], new Date('2026-11-20T12:00:00Z'))
  await updateAdvisories(request(source.base), folder, quickTools({ singles: 2 }))
  const many = [1, 2, 3].map((n) => record(`PYSEC-2026-9901${n}`, `p${n}`, '1.0', at(n)))
  changeOsv(source, 'PyPI', many)
  source.asked.length = 0
  const stale = await updateAdvisories(request(source.base), folder, quickTools({ singles: 2 }))
  assert.deepEqual(source.asked, ['/PyPI/modified_id.csv', '/PyPI/all.zip'])
  assert.equal(stale.sources[0]?.brought?.how, 'whole')
  assert.deepEqual(fixes(folder, 'PyPI', 'p3'), [], 'the archive has not got it yet')
  serveOsv(source, 'PyPI', [...many, record('PYSEC-2026-99014', 'p4', '1.0', at(4))], new Date('2026-11-21T05:00:00Z'))
  await updateAdvisories(request(source.base), folder, quickTools({ singles: 2 }))
  for (const n of [1, 2, 3, 4]) assert.deepEqual(fixes(folder, 'PyPI', `p${n}`), [[`PYSEC-2026-9901${n}`, ['1.0']]])
})

test('a record that is listed and not there yet is asked for until it is', async (t) => {
  const folder = temporaryFolder(t)
  const source = await fakeSource(t)
  const one = record('PYSEC-2026-99001', 'left', '1.0', day)
  serveOsv(source, 'PyPI', [one])
  await updateAdvisories(request(source.base), folder, quickTools())
  changeOsv(source, 'PyPI', [one, record('PYSEC-2026-99002', 'right', '1.0', '2026-11-21T00:00:00Z')])
  const file = source.files.get('/PyPI/PYSEC-2026-99002.json')
  source.files.delete('/PyPI/PYSEC-2026-99002.json')
  const report = await updateAdvisories(request(source.base), folder, quickTools())
  assert.deepEqual([report.sources[0]?.state, report.sources[0]?.brought?.counts.dropped], ['good', 1])
  assert.deepEqual(readState(folder).parts.get('osv/PyPI')?.missing, ['PYSEC-2026-99002'])
  if (file !== undefined) source.files.set('/PyPI/PYSEC-2026-99002.json', file)
  await updateAdvisories(request(source.base), folder, quickTools())
  assert.deepEqual(fixes(folder, 'PyPI', 'right'), [['PYSEC-2026-99002', ['1.0']]])
  assert.deepEqual(readState(folder).parts.get('osv/PyPI')?.missing, [])
})

test('what is judged, and how fresh, follows what the source says today, whether or not it has anything new', async (t) => {
  const folder = temporaryFolder(t)
  const source = await fakeSource(t)
  serveOsv(source, 'Hackage', [{ ...record('HSEC-2026-901', 'left', '1.0', day), affected: [] }])
  const tools = quickTools()
  await updateAdvisories(request(source.base, { ecosystems: ['Hackage'] }), folder, tools)
  const asOf = () => ask(folder, (advisories) => advisories.coverage('Hackage')?.asOf)
  assert.equal(asOf(), `${new Date().toISOString().slice(0, 10)}T00:00:00Z`)
  const tomorrow = Date.now() + 86_400_000
  await updateAdvisories(request(source.base, { ecosystems: ['Hackage'] }), folder, { ...tools, now: () => tomorrow })
  assert.equal(asOf(), `${new Date(tomorrow).toISOString().slice(0, 10)}T00:00:00Z`)
})

test('ecosystems go by what images hold where none are set', async (t) => {
  const folder = temporaryFolder(t)
  const source = await fakeSource(t)
  serveOsv(source, 'npm', [record('GHSA-2222-2222-2222', 'left', '1.0', day)])
  serveOsv(source, 'Debian', [record('DEBIAN-CVE-2026-1', 'left', '1.0', day)])
  const report = await updateAdvisories(
    { sources: [{ name: 'osv', base: source.base }], ecosystems: undefined, held: ['npm', 'Debian:12', 'Debian:13', 'no such world'] },
    folder,
    quickTools(),
  )
  assert.deepEqual(
    report.sources.map(({ part, state }) => [part, state]),
    [
      ['Debian', 'good'],
      ['npm', 'good'],
    ],
  )
})
