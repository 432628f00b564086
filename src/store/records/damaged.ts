import { basename } from 'node:path'
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { LazaretError, messageOf } from '../../kit/errors.ts'

/** SQLite "Result and Error Codes": CORRUPT and NOTADB, with whatever extension. */
const damage: ReadonlySet<number> = new Set([11, 26])
const remedy = 'stop the server, put the file aside, and restore a backup with `lazaret restore`'

/** In: anything thrown at a start. Out: the same, or where the file is damaged what to do about it. */
export function damagedAtStart(path: string, error: unknown): unknown {
  const cause = error instanceof LazaretError && error.cause !== undefined ? error.cause : error
  return isDamage(cause) ? new LazaretError('UNAVAILABLE', `${path} is damaged (${messageOf(cause)}): ${remedy}`, { cause }) : error
}

/** From here on each statement that comes upon damage says so, with the file's name and the remedy. A client may read it: no path. */
export function sayDamage(database: DatabaseSync, path: string): DatabaseSync {
  const prepare = database.prepare.bind(database)
  const told = <T>(work: () => T): T => {
    try {
      return work()
    } catch (cause) {
      if (!isDamage(cause)) throw cause
      throw new LazaretError('INTERNAL', `the records are damaged (${basename(path)}: ${messageOf(cause)}): ${remedy}`, { cause })
    }
  }
  database.prepare = (text, ...more) =>
    guarded(
      told(() => prepare(text, ...more)),
      told,
    )
  return database
}

function guarded(statement: StatementSync, told: <T>(work: () => T) => T): StatementSync {
  for (const name of ['get', 'all', 'run'] as const) {
    const plain = statement[name].bind(statement) as (...given: unknown[]) => unknown
    Object.assign(statement, { [name]: (...given: unknown[]) => told(() => plain(...given)) })
  }
  return statement
}

function isDamage(error: unknown): boolean {
  const { errcode } = (error ?? {}) as { errcode?: unknown }
  return typeof errcode === 'number' && damage.has(errcode & 0xff)
}
