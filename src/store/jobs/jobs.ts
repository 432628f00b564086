import { sql } from 'kysely'
import type { Records, Tx } from '../records/records.ts'

/** What there is to do; flow/ says what each means. */
export type JobKind = 'inventory' | 'examine' | 'rejudge' | 'rematch'

export interface Job {
  id: number
  kind: JobKind
  subject: string
  attempts: number
}

/** A worker that has said nothing for this long is taken for dead, and its job is given to another. */
export const leaseMs = 60_000
export const mostAttempts = 5

/**
 * Adds a job in the transaction of its cause. One that waits already for the same subject is enough.
 */
export async function addJob(tx: Tx, kind: JobKind, subject: string, now: number): Promise<void> {
  await tx
    .insertInto('jobs')
    .values({ kind, subject, state: 'waiting', attempts: 0, run_after: now, lease_until: null, problem: null, created_at: now })
    .onConflict((conflict) => conflict.columns(['kind', 'subject']).where(sql<boolean>`state = 'waiting'`).doNothing())
    .execute()
}

/** Takes up to `count` jobs that are due; a lease that ran out is due again. */
export function claimJobs(records: Records, kinds: JobKind[], count: number, now: number): Promise<Job[]> {
  const skipLocked = records.kind === 'postgres' ? sql`for update skip locked` : sql``
  return records.write(async (tx) => {
    const due = await sql<Job>`
      select id, kind, subject, attempts from jobs
      where kind in (${sql.join(kinds)}) and ((state = 'waiting' and run_after <= ${now}) or (state = 'running' and lease_until < ${now}))
      order by run_after, id limit ${count} ${skipLocked}`.execute(tx)
    const ids = due.rows.map((job) => job.id)
    if (ids.length === 0) return []
    await tx
      .updateTable('jobs')
      .set((of) => ({ state: 'running', lease_until: now + leaseMs, attempts: of('attempts', '+', 1) }))
      .where('id', 'in', ids)
      .execute()
    return due.rows.map((job) => ({ ...job, attempts: job.attempts + 1 }))
  })
}

/** Keeps the leases of jobs under way. */
export async function extendLeases(records: Records, ids: number[], now: number): Promise<void> {
  if (ids.length === 0) return
  await records.write((tx) => tx.updateTable('jobs').set({ lease_until: now + leaseMs }).where('id', 'in', ids).execute())
}

/** The job is done: in the transaction that holds its effect, so that neither stands without the other. */
export async function finishJob(tx: Tx, id: number): Promise<void> {
  await tx.deleteFrom('jobs').where('id', '=', id).execute()
}

/** Back to the queue with a longer wait each time, or set aside as `failed` with its problem after the last attempt. */
export async function failJob(tx: Tx, job: Job, problem: string, now: number): Promise<void> {
  const giveUp = job.attempts >= mostAttempts
  const again = await tx
    .selectFrom('jobs')
    .select('id')
    .where('kind', '=', job.kind)
    .where('subject', '=', job.subject)
    .where('state', '=', 'waiting')
    .executeTakeFirst()
  if (again !== undefined) {
    await finishJob(tx, job.id) // a newer one for the same subject waits already
    return
  }
  await tx
    .updateTable('jobs')
    .set({ state: giveUp ? 'failed' : 'waiting', run_after: now + 500 * 4 ** (job.attempts - 1), lease_until: null, problem: problem.slice(0, 2000) })
    .where('id', '=', job.id)
    .execute()
}

/** At start: what this process had under way when it ended is due at once (one process over SQLite). */
export async function requeueRunning(records: Records): Promise<void> {
  if (records.kind !== 'sqlite') return
  await records.write(async (tx) => {
    await sql`delete from jobs where state = 'running' and exists
      (select 1 from jobs as other where other.kind = jobs.kind and other.subject = jobs.subject and other.state = 'waiting')`.execute(tx)
    await tx.updateTable('jobs').set({ state: 'waiting', lease_until: null }).where('state', '=', 'running').execute()
  })
}
