import type { DatabaseSync } from 'node:sqlite'

export interface Table {
  name: string
  columns: string[]
  /** Rows may be large. */
  hasBytes: boolean
}

/** In: records in SQLite. Out: their tables, each after those that it refers to; `meta` is not among them. */
export function tablesOf(database: DatabaseSync): Table[] {
  const names = database
    .prepare(`select name from sqlite_master where type = 'table' and name not like 'sqlite_%' and name <> 'meta' order by rowid`)
    .all()
    .map((row) => String(row['name']))
  const ordered: string[] = []
  for (let left = names; left.length > 0; left = left.filter((name) => !ordered.includes(name))) {
    const ready = left.filter((name) => parentsOf(database, name).every((parent) => parent === name || ordered.includes(parent)))
    if (ready.length === 0) throw new Error(`tables refer to each other: ${left.join(', ')}`)
    ordered.push(...ready)
  }
  return ordered.map((name) => tableOf(database, name))
}

function parentsOf(database: DatabaseSync, name: string): string[] {
  return database
    .prepare('select "table" as parent from pragma_foreign_key_list(?)')
    .all(name)
    .map((row) => String(row['parent']))
}

function tableOf(database: DatabaseSync, name: string): Table {
  const columns = database.prepare('select name, type from pragma_table_info(?)').all(name)
  return {
    name,
    columns: columns.map((column) => String(column['name'])),
    hasBytes: columns.some((column) => /blob/i.test(String(column['type']))),
  }
}

/** As SQL names it: `match` is a word of SQLite's. */
export function quoted(names: readonly string[]): string {
  return names.map((name) => `"${name}"`).join(', ')
}
