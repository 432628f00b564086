import { holdChain, linkHash, moveHead, type ChainedRow } from './audit-chain.ts'
import type { Tx } from './records/records.ts'

/** Who changes something, and from where. */
export interface Actor {
  /** As `principalId` writes it, or `system` for what the server does by itself. */
  principal: string
  /** IP address of the client, or `local`. */
  address: string
}

/** What the server does by itself. */
export const systemActor: Actor = { principal: 'system', address: 'local' }

export interface AuditEntry extends Actor {
  /** `THING.VERB`: `user.add`, `tag.delete`, `manifest.read-quarantined`. */
  action: string
  /** What it was done to: `user:bob`, `shop/api:1.4.2`. */
  subject: string
  result: 'done' | 'refused'
  /** Facts for people and searches. Never a password, a token, or a hash of one. */
  detail?: Record<string, unknown>
  /** Milliseconds since 1970. */
  at: number
}

const mostTextLength = 512
const mostDetailLength = 8192
const mostAtOnce = 50

/**
 * Adds rows to the audit log in the transaction of the change that they tell of, so that neither is there alone, each chained to
 * the one before it. To be called last in the transaction: over PostgreSQL others that append wait from here to its commit.
 */
export async function recordAudit(tx: Tx, ...entries: readonly AuditEntry[]): Promise<void> {
  if (entries.length === 0) return
  let { head } = await holdChain(tx)
  const rows = entries.map((entry) => {
    const row = chained(head.id + 1, head.hash, entry)
    head = { id: row.id, hash: row.hash }
    return row
  })
  for (let at = 0; at < rows.length; at += mostAtOnce)
    await tx
      .insertInto('audit_log')
      .values(rows.slice(at, at + mostAtOnce))
      .execute()
  await moveHead(tx, head)
}

function chained(id: number, previous: string, entry: AuditEntry): ChainedRow {
  const content = {
    at: entry.at,
    principal: oneLine(entry.principal),
    address: oneLine(entry.address),
    action: oneLine(entry.action),
    subject: oneLine(entry.subject),
    result: entry.result,
    detail: boundedJson(entry.detail ?? {}),
  }
  return { id, ...content, previous, hash: linkHash(previous, content) }
}

/** Clients choose some of this text: no control characters (PostgreSQL refuses NUL), no half surrogates, no endless lines. */
function oneLine(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(/[\p{Cc}\u2028\u2029]/gu, '\uFFFD')
    .slice(0, mostTextLength)
    .toWellFormed()
}

function boundedJson(detail: Record<string, unknown>): string {
  const json = JSON.stringify(detail)
  return json.length <= mostDetailLength ? json : JSON.stringify({ cut: true, keys: Object.keys(detail).slice(0, 50).map(oneLine) })
}
