import { sql } from 'kysely'
import { LazaretError } from '../../kit/errors.ts'
import { parseInstant } from '../../kit/instants.ts'
import type { Records } from '../../store/records/records.ts'

export interface AuditRow {
  id: number
  at: string
  principal: string
  address: string
  action: string
  subject: string
  result: string
  detail: Record<string, unknown>
  /** The hash of the row before, and its own over that and all the others. */
  previous: string
  hash: string
}

/** Each filter is the whole text; `since` and `until` are instants, both within. */
export interface AuditQuery {
  principal?: string
  action?: string
  subject?: string
  address?: string
  result?: string
  /** What was done to that repository, and to what is in it. */
  repository?: string
  /** The oldest first; by default the newest. */
  oldestFirst?: boolean
  since?: string
  until?: string
  limit: number
  /** The `next` of the page before. */
  after?: string
}

/** Out: a page of the audit log. Throws LazaretError INPUT_INVALID naming a malformed filter. */
export async function listAudit(records: Records, query: AuditQuery): Promise<{ items: AuditRow[]; next?: string }> {
  const [from, since, until] = [beforeId(query.after), instant('since', query.since), instant('until', query.until)]
  const oldestFirst = query.oldestFirst === true
  const rows = await records.read
    .selectFrom('audit_log')
    .selectAll()
    .$if(from !== undefined, (some) => some.where('id', oldestFirst ? '>' : '<', from ?? 0))
    .$if(query.principal !== undefined, (some) => some.where('principal', '=', query.principal ?? ''))
    .$if(query.action !== undefined, (some) => some.where('action', '=', query.action ?? ''))
    .$if(query.subject !== undefined, (some) => some.where('subject', '=', query.subject ?? ''))
    .$if(query.address !== undefined, (some) => some.where('address', '=', query.address ?? ''))
    .$if(query.result !== undefined, (some) => some.where('result', '=', query.result ?? ''))
    .$if(query.repository !== undefined, (some) => some.where(ofRepository(records, query.repository ?? '')))
    .$if(since !== undefined, (some) => some.where('at', '>=', since ?? 0))
    .$if(until !== undefined, (some) => some.where('at', '<=', until ?? 0))
    .orderBy('id', oldestFirst ? 'asc' : 'desc')
    .limit(query.limit + 1)
    .execute()
  const items = rows
    .slice(0, query.limit)
    .map((row) => ({ ...row, at: new Date(row.at).toISOString(), detail: JSON.parse(row.detail) as Record<string, unknown> }))
  const last = items.at(-1)
  return rows.length > query.limit && last !== undefined ? { items, next: String(last.id) } : { items }
}

/** Its tags and digests; nothing between a name and `:` or `@` but the name is a subject of it. */
function ofRepository(records: Records, name: string) {
  const subject = records.kind === 'postgres' ? sql`subject collate "C"` : sql`subject` // byte by byte, as SQLite does by itself
  // `;` and `A` are what comes next after `:` and `@`.
  return sql<boolean>`(subject = ${name} or (${subject} >= ${`${name}:`} and ${subject} < ${`${name};`})
    or (${subject} >= ${`${name}@`} and ${subject} < ${`${name}A`}))`
}

/** In: `after` of a list that runs from the newest id down. */
export function beforeId(after: string | undefined): number | undefined {
  if (after === undefined) return undefined
  if (!/^\d{1,15}$/.test(after)) throw new LazaretError('INPUT_INVALID', 'after is not the `next` of a page of this list')
  return Number(after)
}

function instant(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const at = parseInstant(text)
  if (at === undefined)
    throw new LazaretError('INPUT_INVALID', `${name} is not an instant such as 2027-01-31T12:00:00Z: ${JSON.stringify(text.slice(0, 60))}`)
  return at
}
