import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import { LazaretError } from '../../kit/errors.ts'
import type { Records } from '../records/records.ts'

/*
 *  meta, key `backup`:   1800000180000 2f1c…      until when (ms since 1970, 13 digits), and whose it is
 *
 *  While it holds, the collection removes no object. What was dead when the lease was taken is dead in the snapshot that is taken
 *  after it; what dies later stays on disk until the lease has ended.
 */
export const leaseKey = 'backup'
/** A backup that was killed holds the collection off no longer than this. */
export const leaseMs = 180_000

export interface BackupLease {
  /** Throws CONFLICT where it ran out: objects may have been removed since. */
  extend(): Promise<void>
  release(): Promise<void>
}

/** One backup at a time. Throws CONFLICT where another is under way. */
export async function takeLease(records: Records, now: () => number): Promise<BackupLease> {
  const id = randomUUID()
  const value = () => `${String(now() + leaseMs).padStart(13, '0')} ${id}`
  const taken = await records.write((tx) =>
    sql`insert into meta (key, value) values (${leaseKey}, ${value()}) on conflict (key) do update set value = excluded.value
      where substr(meta.value, 1, 13) < ${String(now()).padStart(13, '0')}`.execute(tx),
  )
  if (taken.numAffectedRows !== 1n) throw new LazaretError('CONFLICT', await underWay(records))
  return {
    async extend() {
      const kept = await records.write((tx) =>
        sql`update meta set value = ${value()} where key = ${leaseKey} and substr(value, 15) = ${id}
          and substr(value, 1, 13) >= ${String(now()).padStart(13, '0')}`.execute(tx),
      )
      if (kept.numAffectedRows !== 1n)
        throw new LazaretError(
          'CONFLICT',
          `the backup stood still for more than ${leaseMs / 1000} s, and lost its hold of the store: begin it again`,
        )
    },
    async release() {
      await records.write((tx) => sql`delete from meta where key = ${leaseKey} and substr(value, 15) = ${id}`.execute(tx))
    },
  }
}

async function underWay(records: Records): Promise<string> {
  const row = await records.read.selectFrom('meta').select('value').where('key', '=', leaseKey).executeTakeFirst()
  const until = Number(row?.value.slice(0, 13))
  const words = Number.isSafeInteger(until)
    ? `, or one that was killed: it holds the store until ${new Date(until).toISOString()} at the latest`
    : ''
  return `another backup is under way${words}`
}

/** Whether a backup is copying objects that the records of its snapshot name. */
export async function isHeldForBackup(records: Records, now: number): Promise<boolean> {
  const row = await records.read.selectFrom('meta').select('value').where('key', '=', leaseKey).executeTakeFirst()
  return row !== undefined && Number(row.value.slice(0, 13)) >= now
}
