import type { Tx } from './records/records.ts'

/** Who changes something, and from where. */
export interface Actor {
  /** As `principalId` writes it, or `system` for what the server does by itself. */
  principal: string
  /** IP address of the client, or `local`. */
  address: string
}

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

/** Adds a row to the audit log in the transaction of the change that it tells of, so that neither is there alone. */
export async function recordAudit(tx: Tx, entry: AuditEntry): Promise<void> {
  await tx
    .insertInto('audit_log')
    .values({
      at: entry.at,
      principal: oneLine(entry.principal),
      address: oneLine(entry.address),
      action: oneLine(entry.action),
      subject: oneLine(entry.subject),
      result: entry.result,
      detail: boundedJson(entry.detail ?? {}),
    })
    .execute()
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
