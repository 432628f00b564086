import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import type { Records } from './records/records.ts'

/** How much there is of what may be many, by one walk. */
export interface Tallies {
  verdicts: Map<string, number>
  blobs: { count: number; bytes: number }
  jobs: { state: string; kind: string; count: number }[]
  /** Of the job that waits longest, ms since 1970; undefined where none waits. */
  oldestJobAt?: number
}

/** So many rows at a time: some milliseconds, which no pull notices. */
const rowsAtOnce = 5000

/**
 * Counts by walking the tables in their keys' order, a few thousand rows at a time with rests between: a count over millions in
 * one statement would hold up every read beside it. Out: what it saw; rows that come and go meanwhile may be in it or not.
 * Throws what `signal` was aborted with.
 */
export async function tallyRecords(records: Records, options: { restMs: number; signal: AbortSignal; rows?: number }): Promise<Tallies> {
  const most = options.rows ?? rowsAtOnce
  const rest = () => sleep(options.restMs, undefined, { signal: options.signal })
  const jobs = await tallyJobs(records, most, rest)
  return { verdicts: await tallyVerdicts(records, most, rest), blobs: await tallyBlobs(records, most, rest), ...jobs }
}

async function tallyVerdicts(records: Records, most: number, rest: () => Promise<void>): Promise<Map<string, number>> {
  const counts = new Map<string, number>()
  let last = { repository: 0, manifest: 0 }
  for (;;) {
    const { rows } = await sql<{ decision: string; repository: number; manifest: number }>`
      select decision, repository_id as repository, manifest_id as manifest from verdicts
      where (repository_id, manifest_id) > (${last.repository}, ${last.manifest})
      order by repository_id, manifest_id limit ${most}`.execute(records.read)
    for (const { decision } of rows) counts.set(decision, (counts.get(decision) ?? 0) + 1)
    const end = rows.at(-1)
    if (end === undefined || rows.length < most) return counts
    last = end
    await rest()
  }
}

async function tallyBlobs(records: Records, most: number, rest: () => Promise<void>): Promise<Tallies['blobs']> {
  const all = { count: 0, bytes: 0 }
  let last = 0
  for (;;) {
    const some = await records.read
      .selectFrom((from) => from.selectFrom('blobs').select(['id', 'size']).where('id', '>', last).orderBy('id').limit(most).as('some'))
      .select((of) => [of.fn.countAll<number>().as('count'), of.fn.sum<number | null>('size').as('bytes'), of.fn.max('id').as('last')])
      .executeTakeFirstOrThrow()
    all.count += Number(some.count)
    all.bytes += Number(some.bytes ?? 0)
    if (Number(some.count) < most) return all
    last = some.last
    await rest()
  }
}

async function tallyJobs(records: Records, most: number, rest: () => Promise<void>): Promise<Pick<Tallies, 'jobs' | 'oldestJobAt'>> {
  const counts = new Map<string, { state: string; kind: string; count: number }>()
  let oldest: number | undefined
  let last = 0
  for (;;) {
    const rows = await records.read
      .selectFrom('jobs')
      .select(['id', 'state', 'kind', 'created_at'])
      .where('id', '>', last)
      .orderBy('id')
      .limit(most)
      .execute()
    for (const { state, kind, created_at } of rows) {
      const entry = counts.get(`${state} ${kind}`) ?? { state, kind, count: 0 }
      entry.count++
      counts.set(`${state} ${kind}`, entry)
      if (state === 'waiting') oldest = Math.min(oldest ?? created_at, created_at)
    }
    const end = rows.at(-1)
    if (end === undefined || rows.length < most)
      return { jobs: [...counts.values()], ...(oldest === undefined ? {} : { oldestJobAt: oldest }) }
    last = end.id
    await rest()
  }
}
