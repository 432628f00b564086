import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  addJob,
  claimJobs,
  extendLeases,
  failJob,
  finishJob,
  leaseMs,
  mostAttempts,
  priorities,
  requeueRunning,
  returnJob,
  type Job,
  type JobKind,
} from '../jobs/jobs.ts'
import type { Records } from '../records/records.ts'
import type { OpenRecords } from './records.ts'

const kinds: JobKind[] = ['inventory', 'examine', 'rejudge', 'rematch', 'chains']

export function jobsSuite(implementation: string, open: OpenRecords): void {
  describe(`jobs over ${implementation}`, () => {
    test('the oldest first, each once, and gone when done', async () => {
      const records = await open()
      await add(records, 'b', 20)
      await add(records, 'a', 10)
      await add(records, 'later', 1000)
      const jobs = await claimJobs(records, kinds, 10, 100)
      assert.deepEqual(
        jobs.map((job) => [job.subject, job.attempts, job.kind]),
        [
          ['a', 1, 'examine'],
          ['b', 1, 'examine'],
        ],
      )
      assert.deepEqual(await claimJobs(records, kinds, 10, 100), [])
      await records.write((tx) => finishJob(tx, jobs[0]?.id ?? 0))
      assert.deepEqual((await states(records)).toSorted(), ['b running', 'later waiting'])
    })

    test('kinds that nobody asked for stay', async () => {
      const records = await open()
      await add(records, 'a', 0)
      assert.deepEqual(await claimJobs(records, ['inventory'], 10, 100), [])
      assert.equal((await claimJobs(records, ['inventory', 'examine'], 10, 100)).length, 1)
    })

    test('no more than asked for, and none twice, however many ask', async () => {
      const records = await open()
      for (let at = 0; at < 60; at++) await add(records, `s${at}`, at)
      const claimed = (await Promise.all(Array.from({ length: 20 }, () => claimJobs(records, kinds, 5, 100)))).map((jobs) =>
        jobs.map((job) => job.id),
      )
      assert.ok(claimed.every((ids) => ids.length <= 5))
      const rest = await claimJobs(records, kinds, 100, 100)
      const ids = [...claimed.flat(), ...rest.map((job) => job.id)]
      assert.deepEqual([ids.length, new Set(ids).size], [60, 60])
    })

    test('one that waits for the same subject is enough; beside one that runs, one waits', async () => {
      const records = await open()
      for (let at = 0; at < 3; at++) await add(records, 'a', at)
      await records.write((tx) => addJob(tx, 'inventory', 'a', 0))
      assert.deepEqual(await states(records), ['a waiting', 'a waiting'])
      assert.equal((await claimJobs(records, kinds, 10, 100)).length, 2)
      await add(records, 'a', 5)
      assert.deepEqual((await states(records)).toSorted(), ['a running', 'a running', 'a waiting'])
    })

    test('what a client waits for comes before what is swept, also where it waited there already', async () => {
      const records = await open()
      for (const subject of ['x', 'y', 'z']) await records.write((tx) => addJob(tx, 'examine', subject, 0, priorities.swept))
      await add(records, 'asked', 50)
      await add(records, 'z', 60)
      const order: string[] = []
      for (let at = 0; at < 4; at++) order.push(...(await claimJobs(records, kinds, 1, 100)).map((job) => job.subject))
      assert.deepEqual(order, ['z', 'asked', 'x', 'y'])
    })

    test('a job is not taken before its cause has ended', async () => {
      const records = await open()
      await add(records, 'a', 0)
      const claiming = Promise.withResolvers<Job[]>()
      await records.write(async (tx) => {
        await addJob(tx, 'examine', 'a', 0) // waits already: the cause joins it
        claiming.resolve(claimJobs(records, kinds, 10, 100))
        if (records.kind === 'postgres') assert.deepEqual(await claiming.promise, [])
      })
      const jobs = [...(await claiming.promise), ...(await claimJobs(records, kinds, 10, 100))]
      assert.deepEqual(
        jobs.map((job) => job.subject),
        ['a'],
      )
    })

    test('a lease that ran out is given to another, before others, and an extended one is not', async () => {
      const records = await open()
      await add(records, 'kept', 0)
      await add(records, 'lost', 0)
      const jobs = await claimJobs(records, kinds, 2, 0)
      await add(records, 'other', 0)
      const [kept = 0] = jobs.flatMap((job) => (job.subject === 'kept' ? [job.id] : []))
      await extendLeases(records, [kept], leaseMs)
      await extendLeases(records, [], leaseMs)
      const again = await claimJobs(records, kinds, 1, leaseMs + 1)
      assert.deepEqual(
        again.map((job) => [job.subject, job.attempts]),
        [['lost', 2]],
      )
    })

    test('who lost its lease changes nothing of the one who has it now', async () => {
      const records = await open()
      await add(records, 'a', 0)
      const [slow] = await claimJobs(records, kinds, 1, 0)
      const [now] = await claimJobs(records, kinds, 1, leaseMs + 1)
      assert.ok(slow !== undefined && now !== undefined && slow.id === now.id)
      await records.write((tx) => failJob(tx, slow, 'late', leaseMs + 2))
      await records.write((tx) => returnJob(tx, slow, leaseMs + 2))
      assert.deepEqual(await states(records), ['a running'])
    })

    test('it fails with longer waits, then for good with its problem', async () => {
      const records = await open()
      await add(records, 'a', 0)
      let now = 0
      const waits: number[] = []
      for (let attempt = 1; attempt <= mostAttempts; attempt++) {
        const [job] = await claimJobs(records, kinds, 1, now)
        assert.equal(job?.attempts, attempt)
        await records.write((tx) => failJob(tx, job, `problem ${attempt} ${'x'.repeat(5000)}`, now))
        const row = await records.read.selectFrom('jobs').selectAll().executeTakeFirstOrThrow()
        assert.ok(row.problem?.startsWith(`problem ${attempt} `) === true && row.problem.length === 2000)
        if (attempt === mostAttempts) assert.equal(row.state, 'failed')
        else {
          waits.push(row.run_after - now)
          assert.deepEqual(await claimJobs(records, kinds, 1, row.run_after - 1), [])
          now = row.run_after
        }
      }
      assert.deepEqual(waits, [500, 2000, 8000, 32_000, 128_000, 512_000])
      assert.deepEqual(await claimJobs(records, kinds, 1, now + 1e9), [])
      await add(records, 'a', now)
      assert.equal((await claimJobs(records, kinds, 1, now))[0]?.attempts, 1)
    })

    test('one that fails while a newer waits leaves that one', async () => {
      const records = await open()
      await add(records, 'a', 0)
      const [job] = await claimJobs(records, kinds, 1, 0)
      await add(records, 'a', 7)
      assert.ok(job !== undefined)
      await records.write((tx) => failJob(tx, job, 'x', 5))
      assert.deepEqual(
        (await claimJobs(records, kinds, 10, 7)).map((one) => one.attempts),
        [1],
      )
    })

    test('returned, it has lost no attempt', async () => {
      const records = await open()
      await add(records, 'a', 0)
      for (let at = 0; at < 20; at++) {
        const [job] = await claimJobs(records, kinds, 1, at)
        assert.equal(job?.attempts, 1)
        await records.write((tx) => returnJob(tx, job, at))
      }
    })

    test('at the start of the one process over SQLite what ran is due, once; over PostgreSQL it is left to its lease', async () => {
      const records = await open()
      await add(records, 'a', 0)
      await claimJobs(records, kinds, 1, 0)
      await add(records, 'a', 0)
      await claimJobs(records, kinds, 1, 0)
      await add(records, 'b', 0)
      await claimJobs(records, kinds, 1, 0)
      await add(records, 'b', 0)
      assert.deepEqual((await states(records)).toSorted(), ['a running', 'a running', 'b running', 'b waiting'])
      await requeueRunning(records)
      const after = (await states(records)).toSorted()
      assert.deepEqual(after, records.kind === 'sqlite' ? ['a waiting', 'b waiting'] : ['a running', 'a running', 'b running', 'b waiting'])
    })
  })
}

async function add(records: Records, subject: string, now: number): Promise<void> {
  await records.write((tx) => addJob(tx, 'examine', subject, now))
}

async function states(records: Records): Promise<string[]> {
  const rows = await records.read.selectFrom('jobs').select(['subject', 'state']).orderBy('id').execute()
  return rows.map((row) => `${row.subject} ${row.state}`)
}
