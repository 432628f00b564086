import type { Kysely } from 'kysely'
import type { RecordsKind } from './migrate.ts'
import type { Schema } from './schema.ts'

export type Tx = Kysely<Schema>

/**
 * Everything that Lazaret knows, over SQLite or PostgreSQL.
 *
 * Life cycle: opened once by `openRecords`, migrated, closed once. `write` resolves only when its change is on disk.
 */
export interface Records {
  readonly kind: RecordsKind
  /** For reading; sees every change whose `write` has resolved. */
  readonly read: Kysely<Schema>
  /**
   * Runs `change` in a transaction. Out: what it returned, after the commit was synced to disk. Changes that wait
   * at the same time may share one commit; each keeps to itself when it throws. `change` must await nothing but `tx`, and touch
   * nothing else: over PostgreSQL it is run again where two transactions waited for each other.
   */
  write<T>(change: (tx: Tx) => Promise<T>, options?: WriteOptions): Promise<T>
  /** Out: when every change whose `write` has resolved is on disk. */
  synced(): Promise<void>
  /** A statement prepared once, for the hot paths. In: SQL with `?` for each parameter. */
  prepare<Row>(text: string): PreparedQuery<Row>
  /**
   * The same, and an answer to `first` may be given again until the next commit, where no other process writes to these records
   * (SQLite). Its rows are shared: not to be changed.
   */
  remember<Row>(text: string): PreparedQuery<Row>
  close(): Promise<void>
}

export interface WriteOptions {
  /**
   * `behind`: resolves once it is committed and read, and the disk comes later by some milliseconds (SQLite). For what nobody is told
   * to count on: whoever builds on it awaits `synced`. `before`, where nothing is said.
   */
  sync?: 'before' | 'behind'
}

export interface PreparedQuery<Row> {
  first(...parameters: (string | number | null)[]): Promise<Row | undefined>
  all(...parameters: (string | number | null)[]): Promise<Row[]>
}
