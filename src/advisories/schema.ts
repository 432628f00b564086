import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { LazaretError, messageOf } from '../kit/errors.ts'

/** "Laz1": tells a revision from any other SQLite file. Raise `schemaVersion` when the tables change. */
const applicationId = 0x4c_61_7a_31
export const schemaVersion = 1

/*
 *  ecosystems ─< packages ─< affects >─ records ─< claims
 *  claims: every id under which a record's severity can be asked for.
 *  packages.changed: counter of the revision that last changed what is said of it.
 */
const tables = `
CREATE TABLE ecosystems (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, records INTEGER NOT NULL DEFAULT 0);
CREATE TABLE packages (id INTEGER PRIMARY KEY, ecosystem INTEGER NOT NULL, name TEXT NOT NULL, changed INTEGER NOT NULL, UNIQUE (ecosystem, name));
CREATE TABLE sources (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, records INTEGER NOT NULL DEFAULT 0, newest INTEGER NOT NULL DEFAULT 0);
CREATE TABLE records (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, source INTEGER NOT NULL, modified INTEGER NOT NULL, published INTEGER, withdrawn INTEGER, facts TEXT);
CREATE TABLE affects (package INTEGER NOT NULL, record INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (package, record)) WITHOUT ROWID;
CREATE TABLE claims (alias TEXT NOT NULL, record INTEGER NOT NULL, PRIMARY KEY (alias, record)) WITHOUT ROWID;
CREATE TABLE exploited (cve TEXT PRIMARY KEY, added INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE coverage (ecosystem TEXT PRIMARY KEY, depth TEXT NOT NULL, as_of INTEGER NOT NULL, note TEXT NOT NULL) WITHOUT ROWID;
`

/** In: a path where nothing is. Out: an empty database there, open for writing. */
export function createDatabase(path: string): DatabaseSync {
  const database = new DatabaseSync(path)
  database.exec(`PRAGMA page_size = 8192; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF`)
  database.exec(tables)
  database.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${schemaVersion}`)
  return database
}

/** In: a work file that nobody else reads. A crash loses it, and nothing but it, so there is no journal. */
export function openForWork(path: string): DatabaseSync {
  const database = new DatabaseSync(path)
  database.exec('PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -65536')
  return database
}

/**
 * In: a revision's file, which never changes: so no locks, and readers never wait. Out: the database, read-only.
 * Throws UNAVAILABLE where it isn't one of ours or has another schema.
 */
export function openRevision(path: string): DatabaseSync {
  const url = pathToFileURL(path)
  url.searchParams.set('immutable', '1')
  try {
    const database = new DatabaseSync(url, { readOnly: true })
    checkIdentity(database)
    database.exec('PRAGMA mmap_size = 268435456; PRAGMA trusted_schema = OFF')
    return database
  } catch (error) {
    throw unreadable(path, error)
  }
}

export function unreadable(path: string, error: unknown): LazaretError {
  return new LazaretError('UNAVAILABLE', `the advisory database ${path} can't be read: ${messageOf(error)}`, { cause: error })
}

function checkIdentity(database: DatabaseSync): void {
  const id = database.prepare('PRAGMA application_id').get() as { application_id: number }
  const version = database.prepare('PRAGMA user_version').get() as { user_version: number }
  if (id.application_id === applicationId && version.user_version === schemaVersion) return
  database.close()
  throw new Error(`not an advisory database of schema ${schemaVersion}`)
}
