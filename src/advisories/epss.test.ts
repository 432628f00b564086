import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { exportAdvisories } from './export.ts'
import { importAdvisories } from './import.ts'
import { currentRevision } from './revisions.ts'
import { ask, bring, importOptions, osvRecord, sharedAdvisories, temporaryFolder, withoutShared, writeLines } from './test-support.ts'

test('EPSS: a probability for each CVE, of one day; what moves little calls for no new look', async (t) => {
  const folder = temporaryFolder(t)
  await bring(folder, [
    osvRecord('DSA-1', 'Debian:12', 'a', '1', { upstream: ['CVE-2024-3094'] }),
    osvRecord('A-2', 'npm', 'b', '1', { aliases: ['CVE-2024-0001'] }),
  ])
  const scores = (date: string, ...rows: string[]) =>
    importAdvisories(
      [writeLines(folder, 'epss.csv', [`#model_version:v2025.03.14,score_date:${date}T00:00:00+0000`, 'cve,epss,percentile', ...rows])],
      folder,
      importOptions,
    )
  const changed = async (work: Promise<unknown>) => {
    const before = currentRevision(folder)?.revision ?? ''
    await work
    return ask(folder, (advisories) => advisories.changedSince(before))
  }
  const probability = () => ask(folder, (advisories) => advisories.exploitProbability('CVE-2024-3094'))
  assert.equal(probability(), undefined)
  const first = scores(
    '2026-08-16',
    'CVE-2024-3094,0.84512,0.99321',
    'CVE-2024-0001,0.00043,0.08',
    'CVE-2024-3,0.5,0.5',
    'CVE-2024-1111,7,1',
  )
  assert.deepEqual(await changed(first), [{ ecosystem: 'Debian:12', name: 'a' }])
  const [report] = (await first).files
  assert.deepEqual(
    [report?.forms, report?.probabilities, report?.dropped.map(({ reason }) => reason)],
    [['epss'], 2, ['not a line of EPSS', 'not a probability']],
  )
  assert.deepEqual(probability(), { probability: 0.84512, percentile: 0.99321, date: '2026-08-16T00:00:00Z' })
  assert.deepEqual(await changed(scores('2026-08-17', 'CVE-2024-3094,0.83,0.99')), [])
  assert.deepEqual(probability(), { probability: 0.83, percentile: 0.99, date: '2026-08-17T00:00:00Z' })
  assert.equal((await scores('2026-08-15', 'CVE-2024-3094,0.1,0.1')).changed, false)
  assert.equal((await scores('2026-08-17', 'CVE-2024-3094,0.83,0.99')).changed, false)
  const path = join(folder, 'out.jsonl.zst')
  await exportAdvisories(folder, path)
  const elsewhere = temporaryFolder(t)
  await importAdvisories([path], elsewhere, importOptions)
  assert.deepEqual(
    ask(elsewhere, (advisories) =>
      ['CVE-2024-3094', 'CVE-2024-0001', 'GHSA-1'].map((id) => advisories.exploitProbability(id)?.probability),
    ),
    [0.83, 0.00043, undefined],
  )
})

test('EPSS: the whole list, a line each, in little memory', { skip: withoutShared }, async (t) => {
  const folder = temporaryFolder(t)
  const report = await importAdvisories([join(sharedAdvisories, 'epss.csv.zst')], folder, importOptions)
  assert.deepEqual([report.files[0]?.probabilities, report.files[0]?.dropped], [360_142, []])
  assert.deepEqual(
    ask(folder, (advisories) => advisories.exploitProbability('CVE-1999-0001')),
    { probability: 0.03351, percentile: 0.8765, date: '2026-10-01T00:00:00Z' },
  )
  assert.ok((currentRevision(folder)?.sizeBytes ?? 0) < 12_000_000)
})
