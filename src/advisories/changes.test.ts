import assert from 'node:assert/strict'
import { test } from 'node:test'
import { currentRevision } from './revisions.ts'
import { newsOf } from './news.ts'
import { ask, bring, osvRecord, temporaryFolder } from './test-support.ts'

const day = (at: number) => ({ modified: `2026-02-0${at}T00:00:00Z` })

test('what came is told from any revision on, over several imports: counts, packages and ids', async (t) => {
  const folder = temporaryFolder(t)
  await bring(folder, [osvRecord('A-1', 'npm', 'a', '1'), osvRecord('B-1', 'npm', 'b', '1')])
  const first = currentRevision(folder)?.revision ?? ''
  await bring(folder, [osvRecord('A-1', 'npm', 'a', '2', day(1)), osvRecord('C-1', 'npm', 'c', '1')])
  const second = currentRevision(folder)?.revision ?? ''
  await bring(folder, [osvRecord('C-1', 'npm', 'c', '1', { ...day(2), withdrawn: '2026-02-02T00:00:00Z' })])
  const third = currentRevision(folder)?.revision ?? ''
  await bring(folder, [osvRecord('D-1', 'npm', 'd', '1')])
  ask(folder, (advisories) => {
    const since = (revision: string) => {
      const changes = advisories.changesSince(revision)
      assert.ok(changes !== 'all')
      const { added, changed, withdrawn } = changes.counts
      return [
        added,
        changed,
        withdrawn,
        changes.packages
          .map(({ name }) => name)
          .toSorted()
          .join(' '),
      ]
    }
    assert.deepEqual(since(first), [2, 1, 1, 'a c d'], 'c is in no record any more, and has changed all the same')
    assert.deepEqual(since(second), [1, 0, 1, 'c d'])
    assert.deepEqual(since(advisories.revision), [0, 0, 0, ''])
    assert.equal(advisories.changesSince('000099-20270101'), 'all')
    assert.equal(advisories.changesSince(`${advisories.revision.slice(0, 7)}20991231`), 'all', 'of another folder')
  })
  assert.deepEqual(newsOf(folder, { from: first, to: third }, { limit: 9 }), [
    { id: 'A-1', what: 'changed' },
    { id: 'C-1', what: 'withdrawn' },
  ])
  assert.deepEqual(newsOf(folder, { from: first, to: third }, { limit: 1, after: 'A-1' }), [{ id: 'C-1', what: 'withdrawn' }])
  assert.deepEqual(newsOf(folder, { to: third }, { limit: 9 }), [])
})

test('known exploitation moves the packages of the flaw; a newer day of the data is told', async (t) => {
  const folder = temporaryFolder(t)
  const coverage = (asOf: string) => ({ coverage: [{ ecosystem: 'npm', depth: 'whole' as const, asOf, note: 'n' }] })
  await bring(
    folder,
    [osvRecord('CVE-2026-1001', 'npm', 'a', '1'), osvRecord('CVE-2026-2001', 'npm', 'b', '1')],
    coverage('2026-02-01T00:00:00Z'),
  )
  const first = currentRevision(folder)?.revision ?? ''
  await bring(folder, [{ catalogVersion: '1', vulnerabilities: [{ cveID: 'CVE-2026-2001', dateAdded: '2026-02-02' }] }])
  ask(folder, (advisories) => {
    const changes = advisories.changesSince(first)
    assert.ok(changes !== 'all')
    assert.deepEqual([changes.packages, changes.dated, changes.covered], [[{ ecosystem: 'npm', name: 'b' }], false, []])
  })
  const second = currentRevision(folder)?.revision ?? ''
  await bring(folder, [osvRecord('X-1', 'PyPI', 'x', '1')], {
    coverage: [...coverage('2026-02-03T00:00:00Z').coverage, { ecosystem: 'PyPI', depth: 'thin', asOf: '2026-02-03T00:00:00Z', note: 'n' }],
  })
  ask(folder, (advisories) => {
    const changes = advisories.changesSince(second)
    assert.ok(changes !== 'all')
    assert.deepEqual([changes.dated, changes.covered], [true, ['PyPI']])
  })
})
