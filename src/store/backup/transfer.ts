// Records from PostgreSQL into SQLite and back: the tables are the same, a row is a row.
import { sql, type Kysely, type RawBuilder } from 'kysely'
import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import { setImmediate } from 'node:timers/promises'
import { LazaretError } from '../../kit/errors.ts'
import type { Records } from '../records/records.ts'
import type { Schema } from '../records/schema.ts'
import { openSqliteRecords } from '../records/sqlite.ts'
import { quoted, tablesOf, type Table } from './tables.ts'

type Row = Record<string, SQLInputValue>

const rowsAtOnce = 2000
/** Of rows with content, which has up to some MiB. */
const largeRowsAtOnce = 25
/** PostgreSQL takes 65,535 parameters in a statement. */
const mostParameters = 30_000

/** In: records in PostgreSQL, and a path where nothing is yet. Out: when all rows, as they were at one moment, are in SQLite there. */
export async function exportRecords(records: Records, path: string): Promise<void> {
  await (await openSqliteRecords(path)).close()
  const target = new DatabaseSync(path, { enableForeignKeyConstraints: false })
  try {
    target.exec('begin')
    await atOneMoment(records, async (connection) => {
      for (const table of tablesOf(target)) await exportTable(connection, table, target)
    })
    target.exec('commit')
  } finally {
    target.close()
  }
}

async function atOneMoment(records: Records, read: (connection: Kysely<Schema>) => Promise<void>): Promise<void> {
  await records.read.connection().execute(async (connection) => {
    await sql`begin isolation level repeatable read read only`.execute(connection)
    try {
      await read(connection)
    } finally {
      await sql`rollback`.execute(connection)
    }
  })
}

async function exportTable(connection: Kysely<Schema>, { name, columns, hasBytes }: Table, target: DatabaseSync): Promise<void> {
  const insert = target.prepare(`insert into "${name}" (${quoted(columns)}) values (${columns.map(() => '?').join(', ')})`)
  const cursor = `backup_${name}`
  await sql.raw(`declare ${cursor} no scroll cursor for select ${quoted(columns)} from "${name}"`).execute(connection)
  const fetch = sql.raw<Row>(`fetch ${hasBytes ? largeRowsAtOnce : rowsAtOnce} from ${cursor}`)
  for (;;) {
    const { rows } = await fetch.execute(connection)
    if (rows.length === 0) break
    for (const row of rows) insert.run(...columns.map((column) => row[column] ?? null))
  }
  await sql.raw(`close ${cursor}`).execute(connection)
}

/**
 * In: records of this version in SQLite, and an empty database. Out: when all rows are in it, in one transaction.
 * Throws CONFLICT where the database holds anything already.
 */
export async function importRecords(path: string, records: Records): Promise<void> {
  const source = new DatabaseSync(path, { readOnly: true })
  try {
    const tables = tablesOf(source)
    await records.read.transaction().execute(async (tx) => {
      for (const table of tables) await requireEmpty(tx, sql.id(table.name), table.name)
      for (const table of tables) await importTable(tx, table, source)
      await moveSequences(tx, source)
    })
  } finally {
    source.close()
  }
}

/** In: an open PostgreSQL database. Throws CONFLICT where it holds rows already. */
export async function requireEmptyRecords(records: Records): Promise<void> {
  for (const { schema, name } of await records.read.introspection.getTables())
    if (name !== 'meta') await requireEmpty(records.read, sql.id(...(schema === undefined ? [name] : [schema, name])), name)
}

async function requireEmpty(tx: Kysely<Schema>, table: RawBuilder<unknown>, name: string): Promise<void> {
  const { rows } = await sql`select 1 from ${table} limit 1`.execute(tx)
  if (rows.length > 0) throw new LazaretError('CONFLICT', `the database is not empty: ${name} has rows; restore into an empty one`)
}

async function importTable(tx: Kysely<Schema>, { name, columns, hasBytes }: Table, source: DatabaseSync): Promise<void> {
  const most = hasBytes ? largeRowsAtOnce : Math.min(rowsAtOnce, Math.floor(mostParameters / columns.length))
  let waiting: Row[] = []
  const flush = async () => {
    if (waiting.length === 0) return
    const values = waiting.map((row) => sql`(${sql.join(columns.map((column) => row[column] ?? null))})`)
    await sql`insert into ${sql.table(name)} (${sql.raw(quoted(columns))}) values ${sql.join(values)}`.execute(tx)
    waiting = []
    await setImmediate()
  }
  for (const row of source.prepare(`select ${quoted(columns)} from "${name}"`).iterate()) {
    waiting.push(row as Row)
    if (waiting.length >= most) await flush()
  }
  await flush()
}

/** No id is given twice, even of a row that is gone. */
async function moveSequences(tx: Kysely<Schema>, source: DatabaseSync): Promise<void> {
  for (const { name, seq } of source.prepare('select name, seq from sqlite_sequence where seq > 0').all())
    await sql`select setval(pg_get_serial_sequence(${String(name)}, 'id'), cast(${Number(seq)} as bigint))`.execute(tx)
}
