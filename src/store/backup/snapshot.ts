import { backup, DatabaseSync } from 'node:sqlite'
import { synced } from '../../kit/synced.ts'
import { wholeAtOnce } from '../records/before-upgrade.ts'
import type { Records } from '../records/records.ts'
import { openSqliteRecords } from '../records/sqlite.ts'
import { markDamaged } from '../scrub/damage.ts'
import { leaseKey } from './lease.ts'
import { exportRecords } from './transfer.ts'

/**
 * Writes the records as they are at one moment into a new SQLite file, while others write to them.
 * In: the records, the file that they are in where that is SQLite, and the path.
 */
export async function takeSnapshot(records: Records, sqlitePath: string, path: string): Promise<void> {
  if (records.kind === 'postgres') return exportRecords(records, path)
  const source = new DatabaseSync(sqlitePath, { readOnly: true, timeout: 10_000 })
  try {
    await backup(source, path, { rate: wholeAtOnce })
  } finally {
    source.close()
  }
}

export interface DamagedHere {
  id: number
  digest: string
  objectKey: string
  problem: string
}

/**
 * Makes a snapshot fit for another place: without uploads, objects and runs that are not there, with the blobs whose bytes could not be
 * had marked as damaged. Out: when it is on disk, in one file.
 */
export async function settleSnapshot(path: string, damaged: DamagedHere[], now: number): Promise<void> {
  const records = await openSqliteRecords(path, { asTheyAre: true })
  try {
    await records.write(async (tx) => {
      await tx.deleteFrom('uploads').execute()
      await tx.deleteFrom('dead_objects').execute()
      await tx.deleteFrom('meta').where('key', '=', leaseKey).execute()
      const ended = { state: 'broken', ended_at: now, problem: 'a backup was taken while it ran' }
      await tx.updateTable('collections').set(ended).where('state', '=', 'running').execute()
      for (const blob of damaged) await markDamaged(tx, blob, blob.problem, now)
    })
  } finally {
    await records.close()
  }
  const database = new DatabaseSync(path)
  try {
    // Nothing is written beside it from here on, and it can be read where nothing can be written.
    database.exec('pragma journal_mode = delete')
  } finally {
    database.close()
  }
  await synced(path)
}
