import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { LazaretError } from '../../kit/errors.ts'
import type { Records } from './records.ts'
import { openSqliteRecords, type OpenOptions } from './sqlite.ts'

/** In: the data folder, and a `postgres://` address where there is one. Out: the records, migrated. */
export async function openRecords(dataFolder: string, address?: string, options: OpenOptions = {}): Promise<Records> {
  if (existsSync(restoringFolder(dataFolder)))
    throw new LazaretError('UNAVAILABLE', `a restore into ${dataFolder} did not end: empty the folder, and restore again`)
  if (address === undefined) return openSqliteRecords(sqliteFile(dataFolder), options)
  const { openPostgresRecords } = await import('./postgres.ts') // its driver is loaded only where it is used
  return openPostgresRecords(address, options)
}

export function sqliteFile(dataFolder: string): string {
  return join(dataFolder, 'records.sqlite')
}

/** What a restore has not put in its place yet. While it is there, nothing else begins on the data folder. */
export function restoringFolder(dataFolder: string): string {
  return join(dataFolder, 'restoring')
}
