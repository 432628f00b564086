import { sql } from 'kysely'
import { noteCause } from '../../kit/tracing/causes.ts'
import type { Records, Tx } from '../records/records.ts'

/** What there is to do; flow/ says what each means. */
export type JobKind = 'inventory' | 'examine' | 'rejudge' | 'rematch' | 'chains'

export interface Job {
  id: number
  kind: JobKind
  subject: string
  attempts: number
}

/** Lower is sooner: what a client waits for, before what the whole store is gone over for. */
export const priorities = { asked: 0, swept: 1 } as const

/** A worker that has said nothing for this long is taken for dead, and its job is given to another. */
export const leaseMs = 60_000
/** Over some ten minutes: what a full disk or a restarted database stops is not given up. */
export const mostAttempts = 7
/** Waits before the second attempt, and four times as long before each that follows. */
const firstWaitMs = 500

/**
 * Adds a job in the transaction of its cause. One that waits already for the same subject is enough; it is touched all the same, so
 * that nobody takes it, and reads the records, before this transaction has ended.
 */
export async function addJob(tx: Tx, kind: JobKind, subject: string, now: number, priority: number = priorities.asked): Promise<void> {
  noteCause(jobKey(kind, subject))
  await tx
    .insertInto('jobs')
    .values({ kind, subject, state: 'waiting', attempts: 0, run_after: now, lease_until: null, problem: null, created_at: now, priority })
    .onConflict((conflict) =>
      conflict.columns(['kind', 'subject']).where(sql<boolean>`state = 'waiting'`).doUpdateSet({
        run_after: sql`case when excluded.run_after < jobs.run_after then excluded.run_after else jobs.run_after end`,
        priority: sql`case when excluded.priority < jobs.priority then excluded.priority else jobs.priority end`,
      }),
    )
    .execute()
}

/** What traces call it: the same for who asks for a job and who takes it up. */
export function jobKey(kind: JobKind, subject: string): string {
  return `${kind} ${subject}`
}

export interface ClaimOptions {
  /** Whether those whose lease ran out are looked for; they are, where nothing is said. */
  lost?: boolean
}

/** Takes up to `count` jobs that are due, those first whose lease ran out. */
export async function claimJobs(
  records: Records,
  kinds: JobKind[],
  count: number,
  now: number,
  { lost = true }: ClaimOptions = {},
): Promise<Job[]> {
  if (!(await isAnyDue(records, now, lost))) return []
  return records.write((tx) => claim(records, tx, { kinds, count, now, lost }), { sync: 'behind' })
}

/** Whoever ends a job looks for the next one: mostly there is none, and a look costs a tenth of a transaction. */
async function isAnyDue(records: Records, now: number, lost: boolean): Promise<boolean> {
  const waiting = sql`exists (select 1 from jobs where state = 'waiting' and run_after <= ${now})`
  const either = lost ? sql`${waiting} or exists (select 1 from jobs where state = 'running' and lease_until < ${now})` : waiting
  return (await sql`select 1 where ${either}`.execute(records.read)).rows.length > 0
}

interface Claim {
  kinds: JobKind[]
  count: number
  now: number
  lost: boolean
}

async function claim(records: Records, tx: Tx, { kinds, count, now, lost: alsoLost }: Claim): Promise<Job[]> {
  const lost = alsoLost
    ? await due(records, tx, kinds, count, sql`state = 'running' and lease_until < ${now} order by lease_until, id`)
    : []
  const waiting = await due(
    records,
    tx,
    kinds,
    count - lost.length,
    sql`state = 'waiting' and run_after <= ${now} order by priority, run_after, id`,
  )
  const jobs = [...lost, ...waiting]
  if (jobs.length === 0) return []
  await tx
    .updateTable('jobs')
    .set((of) => ({ state: 'running', lease_until: now + leaseMs, attempts: of('attempts', '+', 1) }))
    .where(
      'id',
      'in',
      jobs.map((job) => job.id),
    )
    .execute()
  return jobs.map((job) => ({ ...job, attempts: job.attempts + 1 }))
}

/** In: which, and in what order, as an index gives them. What another node is about to take is passed over. */
async function due(records: Records, tx: Tx, kinds: JobKind[], count: number, which: ReturnType<typeof sql>): Promise<Job[]> {
  if (count <= 0) return []
  const skipLocked = records.kind === 'postgres' ? sql`for update skip locked` : sql``
  const found =
    await sql<Job>`select id, kind, subject, attempts from jobs where kind in (${sql.join(kinds)}) and ${which} limit ${count} ${skipLocked}`.execute(
      tx,
    )
  return found.rows
}

/** Keeps the leases of jobs under way. */
export async function extendLeases(records: Records, ids: number[], now: number): Promise<void> {
  if (ids.length === 0) return
  await records.write((tx) =>
    tx
      .updateTable('jobs')
      .set({ lease_until: now + leaseMs })
      .where('id', 'in', ids)
      .where('state', '=', 'running')
      .execute(),
  )
}

/**
 * After the clock was set back: what waits for an instant that was near is due now, and a lease lasts no longer than one does.
 * Out: how many waited.
 */
export async function dueAfterSetBack(records: Records, now: number): Promise<number> {
  return records.write(async (tx) => {
    const waited = await tx
      .updateTable('jobs')
      .set({ run_after: now, created_at: now })
      .where('state', '=', 'waiting')
      .where('created_at', '>', now)
      .executeTakeFirst()
    await tx
      .updateTable('jobs')
      .set({ lease_until: now + leaseMs })
      .where('state', '=', 'running')
      .where('lease_until', '>', now + leaseMs)
      .execute()
    return Number(waited.numUpdatedRows)
  })
}

/** The job is done: in the transaction that holds its effect, so that neither stands without the other. */
export async function finishJob(tx: Tx, id: number): Promise<void> {
  await tx.deleteFrom('jobs').where('id', '=', id).execute()
}

/** Back to the queue with a longer wait each time, or set aside as `failed` with its problem after the last attempt. */
export async function failJob(tx: Tx, job: Job, problem: string, now: number): Promise<void> {
  const text = problem.slice(0, 2000)
  if (job.attempts < mostAttempts)
    return putBack(tx, job, { attempts: job.attempts, run_after: now + firstWaitMs * 4 ** (job.attempts - 1), problem: text })
  await ours(tx.updateTable('jobs').set({ state: 'failed', lease_until: null, problem: text }), job).execute()
}

/** Back to the queue as it was: what stopped it was not its own. */
export function returnJob(tx: Tx, job: Job, now: number): Promise<void> {
  return putBack(tx, job, { attempts: job.attempts - 1, run_after: now, problem: null })
}

/** Where one waits already for the same subject, that one is enough. */
async function putBack(tx: Tx, job: Job, changed: { attempts: number; run_after: number; problem: string | null }): Promise<void> {
  const row = await ours(tx.deleteFrom('jobs').returning(['created_at', 'priority']), job).executeTakeFirst()
  if (row === undefined) return
  await tx
    .insertInto('jobs')
    .values({ kind: job.kind, subject: job.subject, state: 'waiting', lease_until: null, ...row, ...changed })
    .onConflict((conflict) => conflict.columns(['kind', 'subject']).where(sql<boolean>`state = 'waiting'`).doNothing())
    .execute()
}

/** A job whose lease ran out is another's by now, and has more attempts. */
function ours<Query extends { where(column: 'id' | 'attempts', operator: '=', value: number): Query }>(query: Query, job: Job): Query {
  return query.where('id', '=', job.id).where('attempts', '=', job.attempts)
}

/**
 * At start: what this process had under way when it ended is due at once (one process over SQLite). Of two that ran for the same
 * subject one is enough.
 */
export async function requeueRunning(records: Records): Promise<void> {
  if (records.kind !== 'sqlite') return
  await records.write(async (tx) => {
    await sql`delete from jobs where state = 'running' and exists (select 1 from jobs as other where other.kind = jobs.kind
      and other.subject = jobs.subject and (other.state = 'waiting' or (other.state = 'running' and other.id > jobs.id)))`.execute(tx)
    await tx.updateTable('jobs').set({ state: 'waiting', lease_until: null }).where('state', '=', 'running').execute()
  })
}
