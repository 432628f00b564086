import { sql } from 'kysely'
import { startPostgres, type Postgres } from '../../../test/support/postgres.ts'
import { openPostgresRecords } from '../records/postgres.ts'
import type { Records } from '../records/records.ts'
import type { OpenRecords } from './records.ts'

/** A server, and records over one database of it that are emptied by each call: a suite has them to itself. */
export async function startEmptiedPostgres(stack: AsyncDisposableStack, name: string): Promise<{ server: Postgres; open: OpenRecords }> {
  const server = await startPostgres(stack)
  const address = `${await server.createDatabase(name)}?options=${encodeURIComponent('-c synchronous_commit=off')}`
  const records = await openPostgresRecords(address)
  stack.defer(() => records.close())
  return { server, open: () => emptied(records) }
}

/** In one go, and faster than `truncate`, which makes new files. */
async function emptied(records: Records): Promise<Records> {
  const tables = await sql<{
    name: string
  }>`select tablename as name from pg_tables where schemaname = 'public' and tablename <> 'meta'`.execute(records.read)
  const deletions = tables.rows.map((row) => `delete from ${row.name}`).join('; ')
  await sql.raw(`begin; set local session_replication_role = replica; ${deletions}; commit`).execute(records.read)
  return records
}
