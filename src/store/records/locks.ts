import { PostgresAdapter, sql, type RawBuilder } from 'kysely'
import type { Tx } from './records.ts'

// Rows that a transaction holds until it ends. Over SQLite one transaction writes at a time, and holds everything.

export function locksRows(tx: Tx): boolean {
  return tx.getExecutor().adapter instanceof PostgresAdapter
}

/** In: the name of a table in the query. Out: the end of a `select` that takes its rows for removal, and passes over those that are held. */
export function skippingHeld(tx: Tx, table: string): RawBuilder<unknown> {
  return locksRows(tx) ? sql`for update of ${sql.ref(table)} skip locked` : sql``
}
