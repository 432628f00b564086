import { existsSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import { DatabaseSync, type StatementSync, type SQLInputValue } from 'node:sqlite'
import { Kysely, SqliteDialect, type SqliteDatabase, type SqliteStatement } from 'kysely'
import { LazaretError } from '../../kit/errors.ts'
import { keepBeforeUpgrade } from './before-upgrade.ts'
import { damagedAtStart, sayDamage } from './damaged.ts'
import { createLogSync } from './log-sync.ts'
import { migrate, requireThisVersion } from './migrate.ts'
import type { PreparedQuery, Records, Tx, WriteOptions } from './records.ts'
import { createRememberedAnswers, type SyncQuery } from './remembered.ts'
import type { Schema } from './schema.ts'
import { YieldingSqliteDialect } from './yielding.ts'

/** Most changes that share one commit: bounds the time that the first of them waits. */
const mostInGroup = 64

/** Between the commit of some changes and the moment that their writers are told. */
interface AfterCommit {
  /** What was read before counts no more. */
  committed(): void
  /** Resolves when the commit is on disk. */
  synced(): Promise<void>
  /** Why nothing may be committed any more. */
  problem(): Error | undefined
}

/** `asTheyAre`: nothing is upgraded; records of another version are refused. */
export interface OpenOptions {
  asTheyAre?: boolean
}

/**
 * Opens (and makes) a SQLite file: WAL, whose log is synced after each commit, and before its writers are told, by a thread of the
 * pool: `synchronous = full` would hold up this one.
 * One connection writes, one reads, so that readers never wait for a transaction under way. Tables of an older version are
 * brought up to this one, and a copy from before is kept beside the file.
 */
export async function openSqliteRecords(path: string, { asTheyAre = false }: OpenOptions = {}): Promise<Records> {
  if (asTheyAre && !existsSync(path)) throw new LazaretError('UNAVAILABLE', `there are no records at ${path}: no server has begun there`)
  const writer = openDatabase(path, false)
  const db = new Kysely<Schema>({ dialect: new YieldingSqliteDialect({ database: shim(writer) }) })
  try {
    if (asTheyAre) await requireThisVersion(db)
    else {
      await keepBeforeUpgrade(writer, path)
      await migrate(db, 'sqlite')
    }
  } catch (error) {
    await db.destroy()
    throw damagedAtStart(path, error)
  }
  const reader = openDatabase(path, true)
  const read = new Kysely<Schema>({ dialect: new SqliteDialect({ database: shim(reader) }) })
  const remembered = createRememberedAnswers()
  writer.exec('pragma synchronous = normal') // from here on SQLite syncs at checkpoints alone, and its log is synced here
  const log = createLogSync(`${path}-wal`)
  const { write, settled } = groupedWriter(db, writer, {
    committed() {
      remembered.forget()
      log.committed()
    },
    synced: log.synced,
    problem: log.problem,
  })
  return {
    kind: 'sqlite',
    read,
    write,
    synced: log.synced,
    prepare: (text) => prepared(reader, text),
    remember: <Row>(text: string) => remembered.over(statement<Row>(reader, text)),
    async close() {
      await settled()
      await log.close()
      await read.destroy()
      await db.destroy()
      for (const database of [reader, writer]) if (database.isOpen) database.close() // Kysely closes only what was used
    },
  }
}

function openDatabase(path: string, readOnly: boolean): DatabaseSync {
  const database = new DatabaseSync(path, { readOnly, timeout: 10_000, enableForeignKeyConstraints: true })
  try {
    database.exec('pragma cache_size = -16384; pragma temp_store = memory')
    if (!readOnly) database.exec('pragma journal_mode = wal; pragma synchronous = full')
    return sayDamage(database, path)
  } catch (error) {
    database.close()
    throw damagedAtStart(path, error)
  }
}

/** What Kysely's dialect expects of better-sqlite3, over node:sqlite; statements are prepared once per text. */
function shim(database: DatabaseSync): SqliteDatabase {
  const statements = new Map<string, SqliteStatement>()
  return {
    close: () => database.close(),
    prepare(text) {
      const known = statements.get(text)
      if (known !== undefined) return known
      const statement = statementOver(database.prepare(text))
      if (statements.size >= 500) statements.delete(statements.keys().next().value ?? '')
      statements.set(text, statement)
      return statement
    },
  }
}

function statementOver(statement: StatementSync): SqliteStatement {
  return {
    reader: statement.columns().length > 0,
    all: (parameters) => statement.all(...(parameters as SQLInputValue[])),
    run: (parameters) => statement.run(...(parameters as SQLInputValue[])),
    iterate: (parameters) => statement.iterate(...(parameters as SQLInputValue[])),
  }
}

function statement<Row>(database: DatabaseSync, text: string): SyncQuery<Row> {
  const compiled = database.prepare(text)
  return {
    first: (...parameters) => compiled.get(...parameters) as Row | undefined,
    all: (...parameters) => compiled.all(...parameters) as Row[],
  }
}

function prepared<Row>(database: DatabaseSync, text: string): PreparedQuery<Row> {
  const { first, all } = statement<Row>(database, text)
  return { first: async (...parameters) => first(...parameters), all: async (...parameters) => all(...parameters) }
}

interface Waiting {
  /** Told at the commit, and not when it is on disk. */
  behind: boolean
  change: (tx: Tx) => Promise<unknown>
  settle: (outcome: { value: unknown } | { error: unknown }) => void
}

/**
 * Group commit: what waits when a transaction begins goes into it, each of several changes behind a savepoint; the next begins while the
 * log is synced. `settled`: when every change that was given has its outcome.
 */
function groupedWriter(
  db: Kysely<Schema>,
  database: DatabaseSync,
  after: AfterCommit,
): { write: Records['write']; settled: () => Promise<void> } {
  const control = controlOf(database)
  const waiting: Waiting[] = []
  let draining: Promise<void> | undefined
  let syncing: Promise<void> = Promise.resolve()

  async function drain(): Promise<void> {
    await setImmediate() // so that what is asked for in this turn goes into one commit
    while (waiting.length > 0) {
      const error = after.problem()
      if (error !== undefined) {
        for (const entry of waiting.splice(0)) entry.settle({ error })
        break
      }
      const settle = await commitGroup(db, control, waiting.splice(0, mostInGroup))
      after.committed() // also after an error: the change may stand, and its answer was lost
      syncing = settle(after.synced)
    }
    draining = undefined
  }

  const write = <T>(change: (tx: Tx) => Promise<T>, { sync = 'before' }: WriteOptions = {}) =>
    new Promise<T>((resolve, reject) => {
      waiting.push({
        behind: sync === 'behind',
        change,
        settle: (outcome) => ('error' in outcome ? reject(outcome.error) : resolve(outcome.value as T)),
      })
      draining ??= drain()
    })
  return {
    write,
    async settled() {
      await draining
      await syncing
    },
  }
}

/** Out: what tells each its outcome, once the log is synced. Throws nothing. */
type Settle = (synced: () => Promise<void>) => Promise<void>

async function commitGroup(db: Kysely<Schema>, control: Control, group: Waiting[]): Promise<Settle> {
  const outcomes: ({ value: unknown } | { error: unknown })[] = []
  const fail = (error: unknown) => {
    for (const entry of group) entry.settle({ error })
  }
  try {
    await db.connection().execute(async (tx) => {
      control.begin()
      try {
        const [alone, ...others] = group
        if (alone !== undefined && others.length === 0) outcomes.push({ value: await alone.change(tx) })
        else for (const entry of group) outcomes.push(await behindSavepoint(tx, control, entry))
        control.commit()
      } catch (error) {
        if (control.isUnderWay()) control.rollback()
        throw error
      }
    })
  } catch (error) {
    return async () => fail(error)
  }
  return async (synced) => {
    const settle = (entry: Waiting, at: number) => entry.settle(outcomes[at] ?? { error: new Error('a change without outcome') })
    group.forEach((entry, at) => entry.behind && settle(entry, at))
    if (group.every((entry) => entry.behind)) return
    try {
      await synced()
    } catch (error) {
      fail(error)
      return
    }
    group.forEach(settle) // of one that was told already it changes nothing
  }
}

/** A full disk ends the whole transaction of itself (lang_transaction.html, "Response To Errors"): then all in it have failed. */
async function behindSavepoint(tx: Tx, control: Control, entry: Waiting): Promise<{ value: unknown } | { error: unknown }> {
  control.savepoint()
  try {
    const value = await entry.change(tx)
    control.release()
    return { value }
  } catch (error) {
    if (!control.isUnderWay()) throw error
    control.rollbackToSavepoint()
    control.release()
    return { error }
  }
}

/** What transactions are made of, prepared: a small one has more of these than statements of its own. */
interface Control {
  begin(): void
  commit(): void
  rollback(): void
  savepoint(): void
  release(): void
  rollbackToSavepoint(): void
  isUnderWay(): boolean
}

function controlOf(database: DatabaseSync): Control {
  const prepare = (text: string) => {
    const statement = database.prepare(text)
    return () => void statement.run()
  }
  return {
    begin: prepare('begin immediate'),
    commit: prepare('commit'),
    rollback: prepare('rollback'),
    savepoint: prepare('savepoint change'),
    release: prepare('release change'),
    rollbackToSavepoint: prepare('rollback to change'),
    isUnderWay: () => database.isTransaction,
  }
}
