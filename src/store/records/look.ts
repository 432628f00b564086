import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { LazaretError, messageOf } from '../../kit/errors.ts'
import { stepAfter, thisStep } from './migrate.ts'

/** What a look from outside tells of records, whoever else has them open. */
export interface RecordsLook {
  schema: string
  /** `behind`: the next start brings it up; `unknown`: a newer version made it. */
  stands: 'current' | 'behind' | 'unknown'
  /** ms since 1970: the newest instant that is on record; absent where there is none. */
  newestAt?: number
  failedJobs: number
  damagedBlobs: number
}

/** Rows of one statement. */
type Ask = (statement: string) => Promise<Record<string, unknown>[]>

const waitMs = 5000

/**
 * Reads only, and brings nothing up to date. In: the data folder, and a `postgres://` address where there is one. Out: undefined where
 * nothing was ever kept there. Throws LazaretError UNAVAILABLE where they can't be read.
 */
export async function lookAtRecords(dataFolder: string, address?: string): Promise<RecordsLook | undefined> {
  try {
    return await (address === undefined ? lookAtSqlite(join(dataFolder, 'records.sqlite')) : lookAtPostgres(address))
  } catch (error) {
    throw new LazaretError('UNAVAILABLE', `the records can't be read: ${messageOf(error)}`, { cause: error })
  }
}

async function lookAtSqlite(path: string): Promise<RecordsLook | undefined> {
  if (!existsSync(path)) return undefined
  const database = new DatabaseSync(path, { readOnly: true, timeout: waitMs })
  try {
    const tables = database.prepare("select 1 from sqlite_master where type = 'table' and name = 'meta'").all()
    return tables.length === 0 ? undefined : await lookBy(async (statement) => database.prepare(statement).all())
  } finally {
    database.close()
  }
}

async function lookAtPostgres(address: string): Promise<RecordsLook | undefined> {
  const { default: pg } = await import('pg')
  const client = new pg.Client({ connectionString: address, connectionTimeoutMillis: waitMs, query_timeout: waitMs })
  client.on('error', () => undefined) // the query under way tells
  await client.connect()
  try {
    const ask: Ask = async (statement) => (await client.query<Record<string, unknown>>(statement)).rows
    const tables = await ask("select to_regclass('meta') as found")
    return tables[0]?.['found'] === null ? undefined : await lookBy(ask)
  } finally {
    await client.end()
  }
}

/** Each from the end of an index. What only this version's tables have is not asked of others. */
async function lookBy(ask: Ask): Promise<RecordsLook | undefined> {
  const schema = (await ask("select value from meta where key = 'schema'"))[0]?.['value']
  if (typeof schema !== 'string') return undefined
  const stands = schema === thisStep() ? 'current' : stepAfter(schema) === undefined ? 'unknown' : 'behind'
  const number = async (statement: string) => Number((await ask(statement))[0]?.['n'] ?? 0)
  if (stands === 'unknown') return { schema, stands, failedJobs: 0, damagedBlobs: 0 }
  const newest = Math.max(
    await number('select at as n from audit_log order by id desc limit 1'),
    await number('select created_at as n from blobs order by id desc limit 1'),
    await number('select created_at as n from manifests order by id desc limit 1'),
  )
  return {
    schema,
    stands,
    ...(newest === 0 ? {} : { newestAt: newest }),
    failedJobs: await number("select count(*) as n from jobs where state = 'failed'"),
    damagedBlobs: stands === 'current' ? await number('select count(*) as n from blobs where damaged_at is not null') : 0,
  }
}
