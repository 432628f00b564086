import { sql } from 'kysely'
import type { Records } from '../records/records.ts'
import { nothingFreed, type Freed } from './parts.ts'

/** One collection, as it went or goes. */
export interface CollectionRun {
  id: number
  /** `ended`: it has seen everything. `broken`: it stopped before, for the problem that it names. */
  state: 'running' | 'ended' | 'broken'
  dryRun: boolean
  startedBy: string
  startedAt: number
  endedAt?: number
  freed: Freed
  problem?: string
}

/** A run that has written nothing for this long is taken for dead. */
export const runLeaseMs = 60_000
const mostKept = 1000

/** One collection runs at a time, on whatever node. Out: its id, or undefined while another runs. */
export async function beginRun(records: Records, run: { by: string; dryRun: boolean }, now: number): Promise<number | undefined> {
  return records.write(async (tx) => {
    await tx
      .updateTable('collections')
      .set({ state: 'broken', ended_at: now, problem: 'its server ended' })
      .where('state', '=', 'running')
      .where('lease_until', '<', now)
      .execute()
    const begun = await tx
      .insertInto('collections')
      .values({
        state: 'running',
        dry_run: run.dryRun ? 1 : 0,
        started_by: run.by,
        started_at: now,
        lease_until: now + runLeaseMs,
        freed: JSON.stringify(nothingFreed),
      })
      .onConflict((conflict) => conflict.column('state').where(sql<boolean>`state = 'running'`).doNothing())
      .returning('id')
      .executeTakeFirst()
    if (begun !== undefined)
      await tx
        .deleteFrom('collections')
        .where('id', '<=', begun.id - mostKept)
        .execute()
    return begun?.id
  })
}

/** It goes on. Out: false where it was given up for dead. */
export async function keepRun(records: Records, id: number, freed: Freed, now: number): Promise<boolean> {
  const kept = await records.write((tx) =>
    tx
      .updateTable('collections')
      .set({ freed: JSON.stringify(freed), lease_until: now + runLeaseMs })
      .where('id', '=', id)
      .where('state', '=', 'running')
      .executeTakeFirst(),
  )
  return kept.numUpdatedRows > 0n
}

/** In: what it freed, undefined where that stands already; and the problem that broke it. */
export async function endRun(records: Records, id: number, outcome: { freed?: Freed; problem?: string }, now: number): Promise<void> {
  await records.write((tx) =>
    tx
      .updateTable('collections')
      .set({
        state: outcome.problem === undefined ? 'ended' : 'broken',
        ended_at: now,
        problem: outcome.problem?.slice(0, 1000) ?? null,
        ...(outcome.freed === undefined ? {} : { freed: JSON.stringify(outcome.freed) }),
      })
      .where('id', '=', id)
      .where('state', '=', 'running')
      .execute(),
  )
}

/** At start, where no other process can have one running. */
export async function breakRuns(records: Records, now: number): Promise<void> {
  if (records.kind !== 'sqlite') return
  await records.write((tx) =>
    tx
      .updateTable('collections')
      .set({ state: 'broken', ended_at: now, problem: 'its server ended' })
      .where('state', '=', 'running')
      .execute(),
  )
}

/** Out: the latest first. */
export async function listRuns(records: Records, most: number): Promise<CollectionRun[]> {
  const rows = await records.read.selectFrom('collections').selectAll().orderBy('id', 'desc').limit(most).execute()
  return rows.map(runOf)
}

export async function findRun(records: Records, id: number): Promise<CollectionRun | undefined> {
  const row = await records.read.selectFrom('collections').selectAll().where('id', '=', id).executeTakeFirst()
  return row === undefined ? undefined : runOf(row)
}

function runOf(row: {
  id: number
  state: string
  dry_run: number
  started_by: string
  started_at: number
  ended_at: number | null
  freed: string
  problem: string | null
}): CollectionRun {
  return {
    id: row.id,
    state: row.state as CollectionRun['state'],
    dryRun: row.dry_run === 1,
    startedBy: row.started_by,
    startedAt: row.started_at,
    ...(row.ended_at === null ? {} : { endedAt: row.ended_at }),
    freed: JSON.parse(row.freed) as Freed,
    ...(row.problem === null ? {} : { problem: row.problem }),
  }
}
