import type { DatabaseSync } from 'node:sqlite'
import { LazaretError, messageOf } from '../../kit/errors.ts'
import { createDatabase, openRevision, schemaVersion } from '../schema.ts'

/**
 * Holds a database that came from elsewhere to what ours are: whole pages, our tables as we make them, and nothing that runs by
 * itself. In: its path, the schema that its manifest names. Throws UNREADABLE.
 */
export function checkReceived(path: string, schema: number): void {
  if (schema !== schemaVersion)
    throw new LazaretError(
      'UNREADABLE',
      `the export is of schema ${schema}, and this version reads ${schemaVersion}: make it by the same version`,
    )
  const problem = problemOf(path)
  if (problem !== undefined) throw new LazaretError('UNREADABLE', `the database of the export is not one of ours: ${problem}`)
}

function problemOf(path: string): string | undefined {
  try {
    using database = openRevision(path)
    database.exec('PRAGMA mmap_size = 0; PRAGMA cell_size_check = ON')
    return strangeParts(database) ?? damage(database)
  } catch (error) {
    return messageOf(error instanceof LazaretError ? error.cause : error)
  }
}

interface Part {
  type: string
  name: string
  sql: string | null
}

/** Columns by name and type, with what they hold where nothing is said: nothing that is computed or checked. */
const plainTable =
  /^CREATE TABLE [a-z_]+ \((?:[a-z_0-9]+ (?:INTEGER|TEXT|BLOB|REAL)[a-zA-Z0-9_' ]*(?:, |(?=\)))|(?:PRIMARY KEY|UNIQUE) \([a-z_0-9, ]+\)(?:, |(?=\))))+\)(?: WITHOUT ROWID)?$/
const plainIndex = /^CREATE INDEX [a-z_]+ ON [a-z_]+ \([a-z_0-9, ]+\)$/

/** Later versions may have further tables of plain columns; triggers, views, virtual tables and columns that are computed none has. */
function strangeParts(database: DatabaseSync): string | undefined {
  const parts = partsOf(database)
  const strange = parts.find(({ type, name, sql }) => {
    if (type === 'index') return sql !== null && !plainIndex.test(sql)
    return (
      type !== 'table' || !(/^sqlite_stat\d$/.test(name) || plainTable.test(sql ?? '')) || /\b(?:AS|CHECK|GENERATED)\b/i.test(sql ?? '')
    )
  })
  if (strange !== undefined) return `it has the ${strange.type} ${JSON.stringify(strange.name.slice(0, 40))}`
  const theirs = new Map(parts.map(({ name, sql }) => [name, sql]))
  return expectedParts()
    .find(({ name, sql }) => theirs.get(name) !== sql)
    ?.name.concat(' is not the table that it should be')
}

function expectedParts(): Part[] {
  using empty = createDatabase(':memory:')
  return partsOf(empty).filter(({ type }) => type === 'table')
}

function partsOf(database: DatabaseSync): Part[] {
  return database.prepare('SELECT type, name, sql FROM sqlite_schema').all() as unknown as Part[]
}

function damage(database: DatabaseSync): string | undefined {
  const [row] = database.prepare('PRAGMA quick_check(1)').all()
  const word = String(row?.['quick_check'])
  return word === 'ok' ? undefined : word.slice(0, 200)
}
