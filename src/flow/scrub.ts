import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import { LazaretError, messageOf } from '../kit/errors.ts'
import type { Log } from '../kit/log.ts'
import { recordAudit, type Actor } from '../store/audit.ts'
import type { ObjectStore } from '../store/objects/objects.ts'
import type { Records } from '../store/records/records.ts'
import { listDamaged, type DamagedBlob } from '../store/scrub/damage.ts'
import { scrubNext } from '../store/scrub/scrub.ts'

export type { DamagedBlob } from '../store/scrub/damage.ts'

/** Reads stored blobs again, one after the other, for as long as the server runs. */
export interface Scrub {
  start(): void
  stop(): Promise<void>
  /** What is damaged now. */
  damaged(most: number): Promise<DamagedBlob[]>
  status(): Promise<ScrubStatus>
  /** Every blob is read again from now on, whenever it was read last. Throws CONFLICT where the scrub is turned off. */
  again(actor: Actor): Promise<ScrubStatus>
}

export interface ScrubStatus {
  /** 0: never. */
  bytesPerSecond: number
  /** Those that are not damaged. */
  blobs: number
  bytes: number
  /** Of these, what is still to be read in this pass. */
  dueBlobs: number
  dueBytes: number
  damagedBlobs: number
}

export interface ScrubSettings {
  records: Records
  objects: ObjectStore
  /** 0: never. */
  bytesPerSecond: number
  /** Wakes the workers. */
  onDamage: () => void
  log: Log
  now: () => number
}

/** A blob is read once in this time. */
const everyMs = 7 * 86_400_000
const idleMs = 60_000
/** In `meta`: when somebody asked for all to be read again, ms since 1970. */
const askedKey = 'scrub.asked-at'

export function createScrub(parts: ScrubSettings): Scrub {
  const { records, log, now } = parts
  const stopping = new AbortController()
  let work: Promise<void> | undefined
  let rest = new AbortController()

  async function goOn(): Promise<void> {
    while (!stopping.signal.aborted) {
      rest = new AbortController()
      const signal = AbortSignal.any([stopping.signal, rest.signal])
      const read = await next()
      if (!read) await sleep(idleMs, undefined, { signal }).catch((error: unknown) => unlessWoken(signal, error))
    }
  }

  /** Out: blobs that were read before are due. */
  async function dueBefore(): Promise<number> {
    const asked = await records.read.selectFrom('meta').select('value').where('key', '=', askedKey).executeTakeFirst()
    const askedAt = Number(asked?.value ?? 0)
    return Math.max(now() - everyMs, askedAt > now() ? 0 : askedAt) // asked by a clock that was ahead, it would never end
  }

  async function status(): Promise<ScrubStatus> {
    const before = await dueBefore()
    const sum = (of: typeof records.read) =>
      of
        .selectFrom('blobs')
        .select((row) => [row.fn.countAll<number>().as('blobs'), row.fn.coalesce(row.fn.sum<number>('size'), sql<number>`0`).as('bytes')])
    const all = await sum(records.read).where('damaged_at', 'is', null).executeTakeFirstOrThrow()
    const due = await sum(records.read).where('damaged_at', 'is', null).where('verified_at', '<=', before).executeTakeFirstOrThrow()
    const damaged = await sum(records.read).where('damaged_at', 'is not', null).executeTakeFirstOrThrow()
    return {
      bytesPerSecond: parts.bytesPerSecond,
      blobs: Number(all.blobs),
      bytes: Number(all.bytes),
      dueBlobs: Number(due.blobs),
      dueBytes: Number(due.bytes),
      damagedBlobs: Number(damaged.blobs),
    }
  }

  /** Out: whether a blob was read; after trouble none, to try again later. */
  async function next(): Promise<boolean> {
    try {
      const one = await scrubNext(parts, await dueBefore(), stopping.signal)
      if (one?.state === 'damaged') {
        log.error(
          { digest: one.digest, damage: one.damage },
          'a blob is damaged: it is held back, with what holds it, until it is pushed again',
        )
        parts.onDamage()
      }
      return one !== undefined
    } catch (error) {
      if (!stopping.signal.aborted) log.error({ problem: messageOf(error) }, 'stored blobs can not be read again')
      return false
    }
  }

  function unlessWoken(signal: AbortSignal, error: unknown): void {
    if (!signal.aborted) throw error
  }

  return {
    start() {
      if (parts.bytesPerSecond > 0) work = goOn()
    },
    async stop() {
      stopping.abort()
      await work
    },
    damaged: (most) => listDamaged(records, most),
    status,
    async again(actor) {
      if (parts.bytesPerSecond === 0)
        throw new LazaretError('CONFLICT', 'the scrub is turned off: set scrub.bytesPerSecond to more than 0, and start the server anew')
      await records.write(async (tx) => {
        const value = String(now())
        await tx
          .insertInto('meta')
          .values({ key: askedKey, value })
          .onConflict((conflict) => conflict.column('key').doUpdateSet({ value }))
          .execute()
        await recordAudit(tx, { ...actor, at: now(), action: 'scrub.start', subject: 'blobs', result: 'done' })
      })
      rest.abort()
      return status()
    },
  }
}
