import type { AccountPage, ListedAccount } from '../../access/account-list.ts'
import type { Accounts } from '../../access/accounts.ts'
import type { AccountKind, AccountRef } from '../../access/directory.ts'
import { parseGrants } from '../../access/grants.ts'
import type { Actor } from '../../store/audit.ts'
import { parseExpiry } from './expiry.ts'

export type { AccountKind, AccountRef } from '../../access/directory.ts'
export type { Actor } from '../../store/audit.ts'

/** An account as the API shows it; times are ISO 8601. */
export interface AccountRow {
  name: string
  grants: string[]
  createdAt: string
  expiresAt?: string
}

/**
 * Accounts as people write them: grants as `pull=shop/**`, expiries as `90d`. Each change is in the audit log under `actor`.
 * All throw LazaretError: INPUT_INVALID naming what is malformed, NOT_FOUND, CONFLICT (a name that is taken, the last
 * administrator), LIMIT_EXCEEDED for too many grants.
 */
export interface Administration {
  list(kind: AccountKind, page: { limit: number; after?: string }): Promise<{ items: AccountRow[]; next?: string }>
  addUser(actor: Actor, user: { name: string; password: string; grants: readonly string[] }): Promise<void>
  /** Out: the token, which is shown this once and stored nowhere in clear. */
  addRobot(
    actor: Actor,
    robot: { name: string; grants: readonly string[]; expires?: string },
  ): Promise<{ token: string; expiresAt?: string }>
  setPassword(actor: Actor, name: string, password: string): Promise<void>
  remove(actor: Actor, account: AccountRef): Promise<void>
  grant(actor: Actor, account: AccountRef, grants: readonly string[]): Promise<void>
  revoke(actor: Actor, account: AccountRef, grants: readonly string[]): Promise<void>
}

export function createAdministration(accounts: Accounts, now: () => number): Administration {
  return {
    list: async (kind, page) => pageOf(await accounts.list(kind, page)),
    addUser: (actor, { name, password, grants }) => accounts.addUser(actor, { name, password, grants: parseGrants(grants) }),
    async addRobot(actor, { name, grants, expires }) {
      const expiresAt = expires === undefined ? undefined : parseExpiry(expires, now())
      const { token } = await accounts.addRobot(actor, {
        name,
        grants: parseGrants(grants),
        ...(expiresAt === undefined ? {} : { expiresAt }),
      })
      return { token, ...(expiresAt === undefined ? {} : { expiresAt: isoOf(expiresAt) }) }
    },
    setPassword: (actor, name, password) => accounts.setPassword(actor, name, password),
    remove: (actor, account) => accounts.remove(actor, account),
    grant: (actor, account, grants) => accounts.grant(actor, account, parseGrants(grants)),
    revoke: (actor, account, grants) => accounts.revoke(actor, account, parseGrants(grants)),
  }
}

function pageOf({ items, next }: AccountPage): { items: AccountRow[]; next?: string } {
  return { items: items.map(rowOf), ...(next === undefined ? {} : { next }) }
}

function rowOf({ name, grants, createdAt, expiresAt }: ListedAccount): AccountRow {
  return { name, grants, createdAt: isoOf(createdAt), ...(expiresAt === undefined ? {} : { expiresAt: isoOf(expiresAt) }) }
}

function isoOf(ms: number): string {
  return new Date(ms).toISOString()
}
