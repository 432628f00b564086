import { join } from 'node:path'
import { openPostgresRecords } from './postgres.ts'
import type { Records } from './records.ts'
import { openSqliteRecords } from './sqlite.ts'

/** In: the data folder, and a `postgres://` address where there is one. Out: the records, migrated. */
export function openRecords(dataFolder: string, address?: string): Promise<Records> {
  return address === undefined ? openSqliteRecords(join(dataFolder, 'records.sqlite')) : openPostgresRecords(address)
}
