import { sql } from 'kysely'
import { messageOf } from '../kit/errors.ts'
import type { Log } from '../kit/log.ts'
import type { Freed } from '../store/collection/parts.ts'
import type { Records } from '../store/records/records.ts'
import { tallyRecords, type Tallies } from '../store/tallies.ts'

/** How much there is of everything, for `/metrics`: counted now and then while somebody asks, never by being asked. */
export interface Figures {
  /** What was counted last, at once. The first time it waits for a count, for a moment. */
  current(): Promise<HouseFigures | undefined>
  stop(): Promise<void>
}

export interface HouseFigures extends Tallies {
  /** Upload sessions on record: begun, and neither ended nor expired. */
  uploads: number
  /** Collections that ended since this process began to count, by how they ended, and what they freed. */
  collections: { ended: number; broken: number; freed: Freed }
  /** ms since 1970. */
  countedAt: number
}

const mostAgeMs = 15_000
/** Nobody counts for nobody: after so long without a question it rests. */
const idleMs = 300_000
const firstWaitMs = 1500
const restMs = 20
/** However long a count takes, it is at most a fiftieth of the time. */
const restFactor = 50

export function createFigures(parts: { records: Records; log: Log; now: () => number }): Figures {
  const { records, log, now } = parts
  const stopping = new AbortController()
  const seen = createCollectionCount(records)
  let last: HouseFigures | undefined
  let notBefore = 0
  let askedAt = 0
  let counting: Promise<void> | undefined
  let timer: NodeJS.Timeout | undefined

  async function count(): Promise<void> {
    const began = now()
    const tallies = await tallyRecords(records, { restMs, signal: stopping.signal })
    last = { ...tallies, uploads: await openUploads(records, now()), collections: await seen(), countedAt: now() }
    notBefore = now() + Math.max(mostAgeMs, (now() - began) * restFactor)
  }

  function begin(): Promise<void> {
    counting ??= count()
      .catch((error: unknown) => {
        if (stopping.signal.aborted) return
        notBefore = now() + mostAgeMs
        log.error({ problem: messageOf(error) }, 'what the store holds could not be counted')
      })
      .finally(() => {
        counting = undefined
        schedule()
      })
    return counting
  }

  function schedule(): void {
    clearTimeout(timer)
    if (stopping.signal.aborted || now() - askedAt > idleMs) return
    timer = setTimeout(() => void begin(), Math.max(0, notBefore - now()))
    timer.unref()
  }

  return {
    async current() {
      askedAt = now()
      if (now() >= notBefore && !stopping.signal.aborted) {
        const work = begin()
        if (last === undefined) await Promise.race([work, pause(firstWaitMs)])
      }
      return last
    },
    async stop() {
      stopping.abort()
      clearTimeout(timer)
      await counting
    },
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref()
  })
}

/** At most as many rows as uploads may be begun. */
async function openUploads(records: Records, now: number): Promise<number> {
  const { count } = await records.read
    .selectFrom('uploads')
    .select((of) => of.fn.countAll<number>().as('count'))
    .where('expires_at', '>', now)
    .executeTakeFirstOrThrow()
  return Number(count)
}

/** One runs at a time, so that they end in the order of their ids. */
function createCollectionCount(records: Records): () => Promise<HouseFigures['collections']> {
  const all: HouseFigures['collections'] = {
    ended: 0,
    broken: 0,
    freed: { links: 0, manifests: 0, blobs: 0, uploads: 0, objects: 0, bytes: 0 },
  }
  let after: number | undefined
  return async () => {
    if (after === undefined) after = await newestEnded(records)
    const rows = await records.read
      .selectFrom('collections')
      .select(['id', 'state', 'freed'])
      .where('id', '>', after)
      .where('state', '!=', 'running')
      .where('dry_run', '=', 0)
      .orderBy('id')
      .execute()
    for (const { id, state, freed } of rows) {
      after = id
      all[state === 'ended' ? 'ended' : 'broken']++
      for (const [what, amount] of Object.entries(JSON.parse(freed) as Freed)) all.freed[what as keyof Freed] += amount
    }
    return all
  }
}

async function newestEnded(records: Records): Promise<number> {
  const { rows } = await sql<{ id: number | null }>`select max(id) as id from collections where state != 'running'`.execute(records.read)
  return rows[0]?.id ?? 0
}
