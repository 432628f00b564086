// What a change of accounts does inside its transaction. Callers hold `lockAccounts`.
import { sql } from 'kysely'
import { LazaretError } from '../kit/errors.ts'
import type { Grant } from '../model/access.ts'
import type { Records, Tx } from '../store/records/records.ts'
import type { AccountRef } from './directory.ts'
import { formatGrant } from './grants.ts'

/** A number that all nodes agree on. */
const accountsLock = 7_261_541

/**
 * One change of accounts at a time, on all nodes, until the transaction ends: a name must be free among users and robots
 * alike, and an administrator must remain, which no constraint of one table can say. SQLite has one writer anyway.
 */
export async function lockAccounts(tx: Tx, kind: Records['kind']): Promise<void> {
  if (kind === 'postgres') await sql`select pg_advisory_xact_lock(${accountsLock})`.execute(tx)
}

export async function hasUsers(tx: Tx): Promise<boolean> {
  return (await tx.selectFrom('users').select('id').limit(1).executeTakeFirst()) !== undefined
}

export async function insertUser(tx: Tx, name: string, password: string, now: number): Promise<void> {
  await requireFreeName(tx, name)
  await tx.insertInto('users').values({ name, password, created_at: now }).execute()
}

export async function insertRobot(tx: Tx, name: string, tokenHash: string, now: number, expiresAt: number | undefined): Promise<void> {
  await requireFreeName(tx, name)
  await tx
    .insertInto('robots')
    .values({ name, token_hash: tokenHash, created_at: now, expires_at: expiresAt ?? null })
    .execute()
}

export async function updatePassword(tx: Tx, name: string, password: string): Promise<void> {
  await requireAccount(tx, { kind: 'user', name })
  await tx.updateTable('users').set({ password }).where('name', '=', name).execute()
}

export async function replacePassword(tx: Tx, name: string, from: string, to: string): Promise<void> {
  await tx.updateTable('users').set({ password: to }).where('name', '=', name).where('password', '=', from).execute()
}

export async function insertGrants(tx: Tx, account: AccountRef, grants: readonly Grant[], most: number): Promise<void> {
  for (const grant of grants) {
    await tx
      .insertInto('grants')
      .values({ principal_kind: account.kind, principal_name: account.name, action: grant.action, pattern: grant.pattern })
      .onConflict((conflict) => conflict.doNothing())
      .execute()
  }
  const held = await heldActions(tx, account)
  if (held.length > most)
    throw new LazaretError('LIMIT_EXCEEDED', `${account.name} would have ${held.length} grants, and ${most} is the most`)
}

export async function deleteGrant(tx: Tx, account: AccountRef, grant: Grant): Promise<void> {
  const result = await tx
    .deleteFrom('grants')
    .where('principal_kind', '=', account.kind)
    .where('principal_name', '=', account.name)
    .where('action', '=', grant.action)
    .where('pattern', '=', grant.pattern)
    .executeTakeFirst()
  if (result.numDeletedRows === 0n)
    throw new LazaretError('NOT_FOUND', `the ${account.kind} ${account.name} has no grant ${formatGrant(grant)}`)
}

/** Out: the actions that it had. */
export async function removeAccount(tx: Tx, account: AccountRef): Promise<string[]> {
  await requireAccount(tx, account)
  const held = await heldActions(tx, account)
  await tx.deleteFrom('grants').where('principal_kind', '=', account.kind).where('principal_name', '=', account.name).execute()
  await tx.deleteFrom(tableOf(account)).where('name', '=', account.name).execute()
  return held
}

export async function requireAccount(tx: Tx, account: AccountRef): Promise<void> {
  const row = await tx.selectFrom(tableOf(account)).select('id').where('name', '=', account.name).executeTakeFirst()
  if (row === undefined) throw new LazaretError('NOT_FOUND', `there is no ${account.kind} ${JSON.stringify(account.name.slice(0, 80))}`)
}

/** Robots don't count: nobody could add a user by one whose token is lost. */
export async function requireAdmin(tx: Tx): Promise<void> {
  const admin = await tx
    .selectFrom('users')
    .innerJoin('grants', 'grants.principal_name', 'users.name')
    .select('users.id')
    .where('grants.principal_kind', '=', 'user')
    .where('grants.action', '=', 'admin')
    .limit(1)
    .executeTakeFirst()
  if (admin === undefined) throw new LazaretError('CONFLICT', 'that would leave no administrator: give another user the grant admin first')
}

async function requireFreeName(tx: Tx, name: string): Promise<void> {
  for (const kind of ['user', 'robot'] as const) {
    const taken = await tx.selectFrom(tableOf({ kind })).select('id').where('name', '=', name).executeTakeFirst()
    if (taken !== undefined) throw new LazaretError('CONFLICT', `there is already a ${kind} ${name}`)
  }
}

async function heldActions(tx: Tx, account: AccountRef): Promise<string[]> {
  const rows = await tx
    .selectFrom('grants')
    .select('action')
    .where('principal_kind', '=', account.kind)
    .where('principal_name', '=', account.name)
    .execute()
  return rows.map((row) => row.action)
}

function tableOf(account: Pick<AccountRef, 'kind'>): 'users' | 'robots' {
  return account.kind === 'user' ? 'users' : 'robots'
}
