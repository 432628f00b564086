import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from '../kit/errors.ts'
import type { Log } from '../kit/log.ts'
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

export function createScrub(parts: ScrubSettings): Scrub {
  const { records, log, now } = parts
  const stopping = new AbortController()
  let work: Promise<void> | undefined

  async function goOn(): Promise<void> {
    while (!stopping.signal.aborted) {
      const read = await next()
      if (!read) await sleep(idleMs, undefined, { signal: stopping.signal }).catch(unlessStopping)
    }
  }

  /** Out: whether a blob was read; after trouble none, to try again later. */
  async function next(): Promise<boolean> {
    try {
      const one = await scrubNext(parts, now() - everyMs, stopping.signal)
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

  function unlessStopping(error: unknown): void {
    if (!stopping.signal.aborted) throw error
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
  }
}
