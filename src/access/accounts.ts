import { LazaretError } from '../kit/errors.ts'
import type { Grant } from '../model/access.ts'
import { recordAudit, type Actor } from '../store/audit.ts'
import type { Records, Tx } from '../store/records/records.ts'
import * as changes from './account-changes.ts'
import { listAccounts, type AccountPage } from './account-list.ts'
import { requireAccountName } from './account-name.ts'
import { createDirectory, type Account, type AccountKind, type AccountRef } from './directory.ts'
import { formatGrant, mostGrants } from './grants.ts'
import { maxPasswordBytes, type Passwords } from './passwords.ts'
import { hashRobotToken, newRobotToken } from './robot-token.ts'

/** Fewest characters that a person may choose (NIST SP 800-63B, 3.1.1.2). */
export const minPasswordLength = 8

/**
 * Users and robots, and what they may do. Each change is one transaction together with its row in the audit log, and
 * counts for every request that begins after its promise resolved.
 *
 * All throw LazaretError: INPUT_INVALID for what can't be, NOT_FOUND for who isn't there, CONFLICT for a name that is
 * taken and for what would leave no administrator.
 */
export interface Accounts {
  addUser(actor: Actor, user: { name: string; password: string; grants: readonly Grant[] }): Promise<void>
  /** Adds `admin` with the grant admin where there is no user yet. Out: whether it did. The password has no least length. */
  addFirstAdmin(actor: Actor, password: string): Promise<boolean>
  setPassword(actor: Actor, name: string, password: string, options?: { anyLength?: boolean }): Promise<void>
  /**
   * In: an account, and its password as just verified. Stores that under today's parameters. Out: the account as it is
   * then, or undefined where it was changed meanwhile, so that the password may no longer be its own.
   */
  rehash(account: Account, password: string): Promise<Account | undefined>
  /** Out: the token, which is stored nowhere in clear. `expiresAt`: milliseconds since 1970. */
  addRobot(actor: Actor, robot: { name: string; grants: readonly Grant[]; expiresAt?: number }): Promise<{ token: string }>
  remove(actor: Actor, account: AccountRef): Promise<void>
  /** Grants that it already has are left as they are. */
  grant(actor: Actor, account: AccountRef, grants: readonly Grant[]): Promise<void>
  /** Throws NOT_FOUND, and takes nothing away, where it lacks one of them. */
  revoke(actor: Actor, account: AccountRef, grants: readonly Grant[]): Promise<void>
  /** A page in the order of names, of at most 1,000; `after` is the last name of the page before. */
  list(kind: AccountKind, page?: { limit?: number; after?: string }): Promise<AccountPage>
  hasUsers(): Promise<boolean>
  find: (name: string) => Promise<Account | undefined>
  /** In: a robot's token. Out: the robot, which may have expired; undefined where none has it. */
  findByToken(token: string): Promise<Account | undefined>
}

export function createAccounts(records: Records, options: { passwords: Passwords; now?: () => number }): Accounts {
  const { passwords } = options
  const now = options.now ?? Date.now
  const directory = createDirectory(records, now)
  const hasUsers = () => changes.hasUsers(records.read)

  /** The frame of every change: alone among the changes of accounts, with its row in the log, and known at once. */
  async function change<T>(
    actor: Actor,
    action: string,
    account: AccountRef,
    detail: Record<string, unknown>,
    work: (tx: Tx) => Promise<T>,
  ): Promise<T> {
    const at = now()
    try {
      return await records.write(async (tx) => {
        await changes.lockAccounts(tx, records.kind)
        const result = await work(tx)
        await recordAudit(tx, {
          ...actor,
          action: `${account.kind}.${action}`,
          subject: `${account.kind}:${account.name}`,
          result: 'done',
          detail,
          at,
        })
        return result
      })
    } finally {
      // Also after an error: whether a commit whose answer was lost took place is not known.
      directory.forget(account.name)
    }
  }

  return {
    async addUser(actor, { name, password, grants }) {
      requireAccountName(name)
      requirePassword(password, minPasswordLength)
      const user: AccountRef = { kind: 'user', name }
      const hash = await passwords.hash(password)
      await change(actor, 'add', user, { grants: grants.map(formatGrant) }, async (tx) => {
        await changes.insertUser(tx, name, hash, now())
        await changes.insertGrants(tx, user, grants, mostGrants)
      })
    },

    async addFirstAdmin(actor, password) {
      requirePassword(password, 1)
      if (await hasUsers()) return false
      const admin: AccountRef = { kind: 'user', name: 'admin' }
      const hash = await passwords.hash(password)
      try {
        await change(actor, 'add', admin, { grants: ['admin'], first: true }, async (tx) => {
          if (await changes.hasUsers(tx)) throw new NotFirst('there is a user already')
          await changes.insertUser(tx, admin.name, hash, now())
          await changes.insertGrants(tx, admin, [{ action: 'admin', pattern: '' }], mostGrants)
        })
      } catch (error) {
        if (error instanceof NotFirst) return false
        throw error
      }
      return true
    },

    async setPassword(actor, name, password, { anyLength = false } = {}) {
      requirePassword(password, anyLength ? 1 : minPasswordLength)
      const hash = await passwords.hash(password)
      await change(actor, 'set-password', { kind: 'user', name }, {}, (tx) => changes.updatePassword(tx, name, hash))
    },

    async rehash(account, password) {
      const hash = await passwords.hash(password)
      const system: Actor = { principal: 'system', address: 'local' }
      await change(system, 'rehash', account, {}, (tx) => changes.replacePassword(tx, account.name, account.credential, hash))
      const after = await directory.find(account.name)
      return after?.credential === hash ? after : undefined
    },

    async addRobot(actor, { name, grants, expiresAt }) {
      requireAccountName(name)
      requireExpiry(expiresAt, now())
      const robot: AccountRef = { kind: 'robot', name }
      const token = newRobotToken()
      const detail = {
        grants: grants.map(formatGrant),
        ...(expiresAt === undefined ? {} : { expiresAt: new Date(expiresAt).toISOString() }),
      }
      await change(actor, 'add', robot, detail, async (tx) => {
        await changes.insertRobot(tx, name, hashRobotToken(token), now(), expiresAt)
        await changes.insertGrants(tx, robot, grants, mostGrants)
      })
      return { token }
    },

    remove: (actor, account) =>
      change(actor, 'remove', account, {}, async (tx) => {
        const held = await changes.removeAccount(tx, account)
        if (account.kind === 'user' && held.includes('admin')) await changes.requireAdmin(tx)
      }),

    grant: (actor, account, grants) =>
      change(actor, 'grant', account, { grants: grants.map(formatGrant) }, async (tx) => {
        await changes.requireAccount(tx, account)
        await changes.insertGrants(tx, account, grants, mostGrants)
      }),

    revoke: (actor, account, grants) =>
      change(actor, 'revoke', account, { grants: grants.map(formatGrant) }, async (tx) => {
        await changes.requireAccount(tx, account)
        for (const grant of grants) await changes.deleteGrant(tx, account, grant)
        if (account.kind === 'user' && grants.some((grant) => grant.action === 'admin')) await changes.requireAdmin(tx)
      }),

    list: (kind, page = {}) => listAccounts(records.read, kind, page),
    hasUsers,
    find: directory.find,
    findByToken: (token) => directory.findByToken(hashRobotToken(token)),
  }
}

class NotFirst extends Error {}

function requirePassword(password: string, minLength: number): void {
  if (Array.from(password.slice(0, 2 * minLength)).length < minLength) {
    throw new LazaretError('INPUT_INVALID', minLength === 1 ? 'a password is missing' : `a password has at least ${minLength} characters`)
  }
  if (Buffer.byteLength(password) > maxPasswordBytes)
    throw new LazaretError('INPUT_INVALID', `a password has at most ${maxPasswordBytes} bytes`)
  if (/\p{Cc}/u.test(password) || !password.isWellFormed())
    throw new LazaretError('INPUT_INVALID', 'a password has no control characters: no client could send it')
}

function requireExpiry(expiresAt: number | undefined, now: number): void {
  if (expiresAt === undefined) return
  if (!Number.isSafeInteger(expiresAt) || expiresAt > 253_402_300_799_999)
    throw new LazaretError('INPUT_INVALID', 'the expiry is not an instant in whole milliseconds up to the year 9999')
  if (expiresAt <= now) throw new LazaretError('INPUT_INVALID', `the expiry ${new Date(expiresAt).toISOString()} has passed`)
}
