import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { scratch } from '../../../test/support/scratch.ts'
import { addJob, claimJobs, failJob, mostAttempts } from '../../store/jobs/jobs.ts'
import { openSqliteRecords } from '../../store/records/sqlite.ts'
import { listJobs } from './jobs.ts'

const stack = new AsyncDisposableStack()
after(() => stack.disposeAsync())
const records = await openSqliteRecords(join(await scratch(stack, 'jobs'), 'records.sqlite'))
stack.defer(() => records.close())

await records.write(async (tx) => {
  for (let at = 0; at < 10; at++) await addJob(tx, at % 2 === 0 ? 'examine' : 'inventory', `sha256:${at}`, 1000 + at)
})
const [first, second] = await claimJobs(records, ['examine', 'inventory'], 2, 5000)
const last = { ...(first ?? assert.fail()), attempts: mostAttempts }
await records.write(async (tx) => {
  await tx.updateTable('jobs').set({ attempts: mostAttempts }).where('id', '=', last.id).execute()
  await failJob(tx, last, 'it would not be read', 5000)
})

test('counts are over all jobs, whatever the filter', async () => {
  for (const query of [{ limit: 1 }, { limit: 100, state: 'failed' as const }, { limit: 100, kind: 'nothing' }]) {
    assert.deepEqual((await listJobs(records, query)).counts, { waiting: 8, running: 1, failed: 1 })
  }
})

test('the newest first, page by page', async () => {
  const seen: number[] = []
  let page = await listJobs(records, { limit: 3 })
  for (;;) {
    seen.push(...page.items.map((item) => item.id))
    if (page.next === undefined) break
    page = await listJobs(records, { limit: 3, after: page.next })
  }
  assert.equal(seen.length, 10)
  assert.deepEqual(
    seen,
    seen.toSorted((a, b) => b - a),
  )
})

test('filters by state and kind, with what went wrong', async () => {
  const { items } = await listJobs(records, { limit: 100, state: 'failed' })
  assert.deepEqual(
    items.map((item) => [item.id, item.state, item.problem, item.runAfter]),
    [[first?.id, 'failed', 'it would not be read', undefined]],
  )
  assert.deepEqual(
    (await listJobs(records, { limit: 100, state: 'running' })).items.map((item) => item.id),
    [second?.id],
  )
  assert.ok((await listJobs(records, { limit: 100, kind: 'inventory' })).items.every((item) => item.kind === 'inventory'))
  await assert.rejects(listJobs(records, { limit: 1, after: 'x' }), { code: 'INPUT_INVALID' })
})
