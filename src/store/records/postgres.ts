import { Kysely, PostgresDialect } from 'kysely'
import pg from 'pg'
import { LazaretError, messageOf } from '../../kit/errors.ts'
import { migrate, requireThisVersion } from './migrate.ts'
import type { PreparedQuery, Records } from './records.ts'
import type { Schema } from './schema.ts'
import type { OpenOptions } from './sqlite.ts'

const int8 = 20
/** Numbers that two nodes agree on, so that only one of them migrates. */
const migrationLock = 7_261_540
/** PostgreSQL "Error Codes": of two transactions that wait for each other one is ended, and may be run again. */
const worthAgain: ReadonlySet<string> = new Set(['40001', '40P01'])
const mostRuns = 5

/**
 * Opens PostgreSQL by its `postgres://` address and brings its tables up to date.
 * Throws LazaretError UNAVAILABLE where it does not answer.
 */
export async function openPostgresRecords(address: string, { asTheyAre = false }: OpenOptions = {}): Promise<Records> {
  const pool = new pg.Pool({
    connectionString: address,
    max: 16,
    connectionTimeoutMillis: 10_000,
    types: { getTypeParser },
    Client: TextClient,
  })
  pool.on('error', () => undefined) // an idle connection that breaks is replaced; the next query tells if that fails
  pool.on('connect', (client) => client.on('error', () => undefined)) // so is one that breaks in a transaction, between two queries
  const db = new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) })
  try {
    await (asTheyAre ? requireThisVersion(db) : migrateOnce(pool, db))
  } catch (error) {
    await db.destroy()
    if (error instanceof LazaretError) throw error
    throw new LazaretError('UNAVAILABLE', `the database does not answer: ${messageOf(error)}`, { cause: error })
  }
  return {
    kind: 'postgres',
    read: db,
    write: (change) => again(() => db.transaction().execute(change)),
    synced: async () => undefined, // each commit is
    prepare: (text) => prepared(pool, text),
    remember: (text) => prepared(pool, text), // other nodes write too
    close: () => db.destroy(),
  }
}

/** Sizes and ids stay below 2^53, so int8 is read as a number. */
const getTypeParser: pg.CustomTypesConfig['getTypeParser'] = (oid, format): ((value: string) => unknown) =>
  oid === int8 ? Number : (pg.types.getTypeParser(oid, format as 'text') as (value: string) => unknown)

/** PostgreSQL's text has no NUL, and images are free to name a file or a package with one: it is kept as U+FFFD. */
class TextClient extends pg.Client {
  override query = ((...given: unknown[]) =>
    (pg.Client.prototype.query as (...args: unknown[]) => unknown).apply(this, given.map(withoutNul))) as pg.Client['query']
}

function withoutNul(given: unknown): unknown {
  if (Array.isArray(given)) return given.map((value: unknown) => (typeof value === 'string' ? value.replaceAll('\0', '\uFFFD') : value))
  const isNamed = typeof given === 'object' && given !== null && 'name' in given && 'values' in given
  return isNamed ? { ...given, values: withoutNul(given.values) } : given
}

async function again<T>(run: () => Promise<T>): Promise<T> {
  for (let runs = 1; ; runs++) {
    try {
      return await run()
    } catch (error) {
      if (runs === mostRuns || !worthAgain.has((error as { code?: string }).code ?? '')) throw error
    }
  }
}

async function migrateOnce(pool: pg.Pool, db: Kysely<Schema>): Promise<void> {
  const client = await pool.connect()
  try {
    await client.query('select pg_advisory_lock($1)', [migrationLock])
    await migrate(db, 'postgres')
  } finally {
    await client.query('select pg_advisory_unlock($1)', [migrationLock])
    client.release()
  }
}

let preparedCount = 0

function prepared<Row>(pool: pg.Pool, text: string): PreparedQuery<Row> {
  let position = 0
  const numbered = text.replaceAll('?', () => `$${++position}`)
  const name = `lazaret-${++preparedCount}`
  const all = async (...values: (string | number | null)[]) => (await pool.query({ name, text: numbered, values })).rows as Row[]
  return { all, first: async (...values) => (await all(...values))[0] }
}
