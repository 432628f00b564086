import { LazaretError } from '../kit/errors.ts'
import type { Action } from '../model/access.ts'
import type { Tx } from '../store/records/records.ts'
import type { AccountKind } from './directory.ts'
import { formatGrant } from './grants.ts'

/** An account as people see it: nothing secret in it. */
export interface ListedAccount {
  kind: AccountKind
  name: string
  grants: string[]
  /** Milliseconds since 1970. */
  createdAt: number
  expiresAt?: number
}

export interface AccountPage {
  items: ListedAccount[]
  /** `after` for the next page; absent on the last. */
  next?: string
}

const mostPerPage = 1000

/** In: a kind, and a page by key. Out: its accounts in the order of names. Throws LazaretError PAGINATION_NUMBER_INVALID. */
export async function listAccounts(db: Tx, kind: AccountKind, page: { limit?: number; after?: string }): Promise<AccountPage> {
  const limit = page.limit ?? 100
  if (!Number.isSafeInteger(limit) || limit < 1 || limit > mostPerPage)
    throw new LazaretError('PAGINATION_NUMBER_INVALID', `limit is a whole number from 1 to ${mostPerPage}`)
  const rows = await accountRows(db, kind, limit + 1, page.after ?? '')
  const shown = rows.slice(0, limit)
  const grants = await grantsOf(
    db,
    kind,
    shown.map((row) => row.name),
  )
  const items = shown.map((row) => ({
    kind,
    name: row.name,
    grants: grants.get(row.name) ?? [],
    createdAt: row.created_at,
    ...(row.expires_at === null ? {} : { expiresAt: row.expires_at }),
  }))
  const last = shown.at(-1)
  return rows.length > limit && last !== undefined ? { items, next: last.name } : { items }
}

async function accountRows(
  db: Tx,
  kind: AccountKind,
  limit: number,
  after: string,
): Promise<{ name: string; created_at: number; expires_at: number | null }[]> {
  if (kind === 'robot')
    return db
      .selectFrom('robots')
      .select(['name', 'created_at', 'expires_at'])
      .where('name', '>', after)
      .orderBy('name')
      .limit(limit)
      .execute()
  const users = await db.selectFrom('users').select(['name', 'created_at']).where('name', '>', after).orderBy('name').limit(limit).execute()
  return users.map((user) => ({ ...user, expires_at: null }))
}

async function grantsOf(db: Tx, kind: AccountKind, names: string[]): Promise<Map<string, string[]>> {
  if (names.length === 0) return new Map()
  const rows = await db
    .selectFrom('grants')
    .select(['principal_name', 'action', 'pattern'])
    .where('principal_kind', '=', kind)
    .where('principal_name', 'in', names)
    .orderBy('principal_name')
    .orderBy('action')
    .orderBy('pattern')
    .execute()
  const grants = new Map<string, string[]>()
  for (const row of rows)
    grants.set(row.principal_name, [
      ...(grants.get(row.principal_name) ?? []),
      formatGrant({ action: row.action as Action, pattern: row.pattern }),
    ])
  return grants
}
