import { PostgresAdapter } from 'kysely'
import type { Records, Tx } from './records/records.ts'

export interface Repository {
  id: number
  name: string
}

/** Out: the repository of that name, made in this transaction where it is new. */
export async function ensureRepository(tx: Tx, name: string, now: number): Promise<Repository> {
  const known = await tx.selectFrom('repositories').select(['id', 'name']).where('name', '=', name).executeTakeFirst()
  if (known !== undefined) return known
  await tx
    .insertInto('repositories')
    .values({ name, created_at: now })
    .onConflict((conflict) => conflict.column('name').doNothing())
    .execute()
  return tx.selectFrom('repositories').select(['id', 'name']).where('name', '=', name).executeTakeFirstOrThrow()
}

/**
 * Until this transaction ends no other judges in that repository, nor takes a manifest out of it: two that judge the children of one
 * index at once would each miss the other's verdict. SQLite has one that writes at a time anyway.
 * Whoever locks several does so in the order of their ids.
 */
export async function lockRepository(tx: Tx, repositoryId: number): Promise<void> {
  if (!(tx.getExecutor().adapter instanceof PostgresAdapter)) return
  await tx.selectFrom('repositories').select('id').where('id', '=', repositoryId).forNoKeyUpdate().execute()
}

/** A lookup by name on the hot path. */
export function repositoryFinder(records: Records): (name: string) => Promise<Repository | undefined> {
  const query = records.remember<Repository>('select id, name from repositories where name = ?')
  return (name) => query.first(name)
}
