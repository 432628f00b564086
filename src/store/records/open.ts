import { join } from 'node:path'
import type { Records } from './records.ts'
import { openSqliteRecords } from './sqlite.ts'

/** In: the data folder, and a `postgres://` address where there is one. Out: the records, migrated. */
export async function openRecords(dataFolder: string, address?: string): Promise<Records> {
  if (address === undefined) return openSqliteRecords(join(dataFolder, 'records.sqlite'))
  const { openPostgresRecords } = await import('./postgres.ts') // its driver is loaded only where it is used
  return openPostgresRecords(address)
}
