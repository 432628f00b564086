import type { Records } from '../../store/records/records.ts'
import { beforeId } from './audit-log.ts'

export const jobStates = ['waiting', 'running', 'failed'] as const
export type JobState = (typeof jobStates)[number]

export interface JobRow {
  id: number
  kind: string
  subject: string
  state: JobState
  attempts: number
  createdAt: string
  /** Not before then; of a job that waits. */
  runAfter?: string
  /** Why the last attempt failed. */
  problem?: string
}

export interface JobQuery {
  state?: JobState
  kind?: string
  limit: number
  /** The `next` of the page before. */
  after?: string
}

export interface JobPage {
  items: JobRow[]
  next?: string
  /** Over all jobs, whatever the filter. What is done leaves no row. */
  counts: Record<JobState, number>
}

/** Out: a page of what there is to do, the newest first, with the counts by state. Throws LazaretError INPUT_INVALID. */
export async function listJobs(records: Records, query: JobQuery): Promise<JobPage> {
  const before = beforeId(query.after)
  const rows = await records.read
    .selectFrom('jobs')
    .select(['id', 'kind', 'subject', 'state', 'attempts', 'created_at', 'run_after', 'problem'])
    .$if(before !== undefined, (some) => some.where('id', '<', before ?? 0))
    .$if(query.state !== undefined, (some) => some.where('state', '=', query.state ?? ''))
    .$if(query.kind !== undefined, (some) => some.where('kind', '=', query.kind ?? ''))
    .orderBy('id', 'desc')
    .limit(query.limit + 1)
    .execute()
  const items = rows.slice(0, query.limit).map((row) => ({
    id: row.id,
    kind: row.kind,
    subject: row.subject,
    state: row.state as JobState,
    attempts: row.attempts,
    createdAt: new Date(row.created_at).toISOString(),
    ...(row.state === 'waiting' ? { runAfter: new Date(row.run_after).toISOString() } : {}),
    ...(row.problem === null ? {} : { problem: row.problem }),
  }))
  const last = items.at(-1)
  return {
    items,
    ...(rows.length > query.limit && last !== undefined ? { next: String(last.id) } : {}),
    counts: await countStates(records),
  }
}

/** From an index alone, which begins with the state. */
async function countStates(records: Records): Promise<Record<JobState, number>> {
  const rows = await records.read
    .selectFrom('jobs')
    .select(['state', (of) => of.fn.countAll<number>().as('count')])
    .groupBy('state')
    .execute()
  const counts = { waiting: 0, running: 0, failed: 0 }
  for (const row of rows) counts[row.state as JobState] = Number(row.count)
  return counts
}
