import { createHash } from 'node:crypto'
import { PostgresAdapter, sql } from 'kysely'
import type { Tx } from './records/records.ts'

// The audit log as one chain, by all nodes:
//
//   anchor ◀── row ◀── row ◀── row ◀── head          row.previous = the hash of the row before it
//   (what was cut away ends here)                    row.hash     = SHA-256 over row.previous and the row's content
//
// Anchor and head stand in audit_chain, so that rows that are missing at either end are missed too.

/** Before the first row. */
export const genesis = '0'.repeat(64)

export interface AuditContent {
  at: number
  principal: string
  address: string
  action: string
  subject: string
  result: string
  /** JSON, as stored. */
  detail: string
}

export interface ChainedRow extends AuditContent {
  id: number
  previous: string
  hash: string
}

/** A place in the chain: the row's id, and its hash. */
export interface Link {
  id: number
  hash: string
}

export interface ChainEnds {
  anchor: Link
  head: Link
}

/** In: the hash of the row before, and a row as it is stored. Out: SHA-256 over both in one form (a JSON list), in hex. */
export function linkHash(previous: string, row: AuditContent): string {
  const content = [previous, row.at, row.principal, row.address, row.action, row.subject, row.result, row.detail]
  return createHash('sha256').update(JSON.stringify(content)).digest('hex')
}

interface EndsRow {
  anchor_id: number
  anchor_hash: string
  head_id: number
  head_hash: string
}

/** Out: the ends of the chain, undefined where nothing was ever written. */
export async function chainEnds(tx: Tx): Promise<ChainEnds | undefined> {
  const { rows } = await sql<EndsRow>`select anchor_id, anchor_hash, head_id, head_hash from audit_chain where id = 1`.execute(tx)
  return endsOf(rows[0])
}

/**
 * Out: the ends, held until the transaction ends: over PostgreSQL no other appends meanwhile, SQLite has one writer anyway. Taken
 * last in a transaction, so that others wait for no more than its commit.
 */
export async function holdChain(tx: Tx): Promise<ChainEnds> {
  const held = await selectHeld(tx)
  if (held !== undefined) return held
  await sql`insert into audit_chain (id, anchor_id, anchor_hash, head_id, head_hash)
    values (1, 0, ${genesis}, 0, ${genesis}) on conflict (id) do nothing`.execute(tx)
  const made = await selectHeld(tx)
  if (made === undefined) throw new Error('the audit log has no chain')
  return made
}

async function selectHeld(tx: Tx): Promise<ChainEnds | undefined> {
  if (!(tx.getExecutor().adapter instanceof PostgresAdapter)) return chainEnds(tx)
  const { rows } = await sql<EndsRow>`select anchor_id, anchor_hash, head_id, head_hash from audit_chain where id = 1 for update`.execute(
    tx,
  )
  return endsOf(rows[0])
}

function endsOf(row: EndsRow | undefined): ChainEnds | undefined {
  if (row === undefined) return undefined
  return { anchor: { id: row.anchor_id, hash: row.anchor_hash }, head: { id: row.head_id, hash: row.head_hash } }
}

export async function moveHead(tx: Tx, head: Link): Promise<void> {
  await sql`update audit_chain set head_id = ${head.id}, head_hash = ${head.hash} where id = 1`.execute(tx)
}

export async function moveAnchor(tx: Tx, anchor: Link): Promise<void> {
  await sql`update audit_chain set anchor_id = ${anchor.id}, anchor_hash = ${anchor.hash} where id = 1`.execute(tx)
}

export const chainPage = 1000

/** Out: the rows after `id`, in the order of their ids, at most `chainPage`. */
export function rowsAfter(tx: Tx, id: number): Promise<ChainedRow[]> {
  return tx.selectFrom('audit_log').selectAll().where('id', '>', id).orderBy('id').limit(chainPage).execute()
}

/** Rows of a version that did not chain them: from here on they are held as they stand. */
export async function chainEarlierRows(tx: Tx): Promise<void> {
  let head: Link = { id: 0, hash: genesis }
  for (let rows = await rowsAfter(tx, 0); rows.length > 0; rows = await rowsAfter(tx, head.id)) {
    for (const row of rows) {
      const hash = linkHash(head.hash, row)
      await sql`update audit_log set previous = ${head.hash}, hash = ${hash} where id = ${row.id}`.execute(tx)
      head = { id: row.id, hash }
    }
  }
  if (head.id === 0) return
  await holdChain(tx)
  await moveHead(tx, head)
}
