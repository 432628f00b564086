import assert from 'node:assert/strict'
import { readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { LazaretError, type ErrorCode } from '../kit/errors.ts'
import { currentRevision, keptRevisions, listRevisions } from './revisions.ts'
import { rollBack } from './rollback.ts'
import { ask, bring, fixes, osvRecord, temporaryFolder } from './test-support.ts'

const rejects = (promise: Promise<unknown>, code: ErrorCode, message: RegExp) =>
  assert.rejects(promise, (error: unknown) => error instanceof LazaretError && error.code === code && message.test(error.message))

test('what was known before is in force again under a number of its own, and the packages that it changes are known', async (t) => {
  const folder = temporaryFolder(t)
  const first = await bring(folder, [osvRecord('A-1', 'npm', 'a', '1.0.0'), osvRecord('A-2', 'npm', 'b', '1.0.0')])
  const second = await bring(folder, [
    osvRecord('A-1', 'npm', 'a', '2.0.0', { modified: '2026-02-01T00:00:00Z' }),
    osvRecord('A-3', 'npm', 'c', '1'),
  ])
  const done = await rollBack(folder, first.revision)
  assert.deepEqual([done.copied, done.before, done.revision.counter], [first.revision, second.revision, 3])
  assert.deepEqual(fixes(folder, 'npm', 'a'), [['A-1', ['1.0.0']]])
  assert.deepEqual(fixes(folder, 'npm', 'c'), [])
  assert.deepEqual(currentRevision(folder)?.origin, { how: 'rollback', revision: first.revision })
  for (const since of [first.revision, second.revision]) {
    const changed = ask(folder, (advisories) => advisories.changedSince(since))
    assert.deepEqual(Array.isArray(changed) && changed.map(({ name }) => name).toSorted(), ['a', 'c'], since)
  }
  const back = await rollBack(folder, second.revision)
  assert.deepEqual(fixes(folder, 'npm', 'c'), [['A-3', ['1']]])
  const later = await bring(folder, [osvRecord('A-4', 'npm', 'd', '1')])
  assert.ok(later.revision > back.revision.revision, 'an import goes on from there')
  assert.deepEqual(fixes(folder, 'npm', 'c'), [['A-3', ['1']]])
})

test('only those that are kept and whole can be gone back to', async (t) => {
  const folder = temporaryFolder(t)
  const made: string[] = []
  for (let number = 1; number <= keptRevisions + 2; number++)
    made.push((await bring(folder, [osvRecord(`A-${number}`, 'npm', 'a', '1')])).revision)
  assert.deepEqual(
    listRevisions(folder).map(({ revision }) => revision),
    made.slice(2).toReversed(),
  )
  const before = readFileSync(join(folder, 'advisories/current'), 'utf8')
  await rejects(rollBack(folder, made[0] ?? ''), 'NOT_FOUND', new RegExp(`to go back to: ${made.at(-2)}, `))
  await rejects(rollBack(folder, made.at(-1) ?? ''), 'CONFLICT', /is in force/)
  await rejects(rollBack(folder, '../../etc/passwd'), 'NOT_FOUND', /is not kept/)
  truncateSync(join(folder, 'advisories/000005.sqlite'), 8192)
  await rejects(rollBack(folder, made[4] ?? ''), 'NOT_FOUND', /is not kept/)
  const size = listRevisions(folder).find(({ counter }) => counter === 6)?.sizeBytes ?? 0
  writeFileSync(join(folder, 'advisories/000006.sqlite'), Buffer.alloc(size))
  await rejects(rollBack(folder, made[5] ?? ''), 'UNAVAILABLE', /can't be read/)
  assert.equal(readFileSync(join(folder, 'advisories/current'), 'utf8'), before)
})

test('there is nothing to go back to where there is nothing', async (t) => {
  await rejects(rollBack(temporaryFolder(t), '000001-20260101'), 'NOT_FOUND', /none is/)
})
