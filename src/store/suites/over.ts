import { join } from 'node:path'
import { after, test } from 'node:test'
import { sql } from 'kysely'
import { startPostgres, type Postgres } from '../../../test/support/postgres.ts'
import { scratch } from '../../../test/support/scratch.ts'
import { lacking } from '../../../test/support/tools.ts'
import { openPostgresRecords } from '../records/postgres.ts'
import type { Records } from '../records/records.ts'
import { openSqliteRecords } from '../records/sqlite.ts'
import type { OpenRecords } from './records.ts'

/** A contract over records: its name says which, `open` gives empty ones. */
export type RecordsSuite = (implementation: string, open: OpenRecords) => void

/** Runs suites over SQLite: a file for each that is opened. In: a word for the folder. */
export async function overSqlite(word: string, suites: readonly RecordsSuite[]): Promise<void> {
  const stack = new AsyncDisposableStack()
  after(() => stack.disposeAsync())
  const folder = await scratch(stack, word)
  let opened = 0
  const open = async () => {
    const records = await openSqliteRecords(join(folder, `${++opened}.sqlite`))
    stack.defer(() => records.close())
    return records
  }
  for (const suite of suites) suite('SQLite', open)
}

/**
 * Runs suites over one database of a PostgreSQL of their own, emptied by each that opens it: a suite has it to itself. In: a word for
 * the database; and, for what PostgreSQL alone has, the server. Where PostgreSQL is not installed the whole is left out, by name.
 */
export async function overPostgres(
  word: string,
  suites: readonly RecordsSuite[],
  alone: (server: Postgres) => void = () => undefined,
): Promise<void> {
  const skip = lacking('postgres', 'initdb', 'createdb', 'pg_isready')
  if (skip !== false) {
    test(`${word} over PostgreSQL`, { skip }, () => undefined)
    return
  }
  const stack = new AsyncDisposableStack()
  after(() => stack.disposeAsync())
  const server = await startPostgres(stack)
  const address = `${await server.createDatabase(word)}?options=${encodeURIComponent('-c synchronous_commit=off')}`
  const records = await openPostgresRecords(address)
  stack.defer(() => records.close())
  for (const suite of suites) suite('PostgreSQL', () => emptied(records))
  alone(server)
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
