import { createHash } from 'node:crypto'
import { LazaretError } from '../kit/errors.ts'
import type { Action, Grant, Principal } from '../model/access.ts'
import type { Records } from '../store/records/records.ts'
import { isAccountName } from './account-name.ts'
import { createBoundedMap } from './bounded-map.ts'

export type AccountKind = 'user' | 'robot'

export interface AccountRef {
  kind: AccountKind
  name: string
}

/** An account as it stands, for sign-in and for the check of every request. */
export interface Account {
  readonly kind: AccountKind
  readonly name: string
  readonly grants: readonly Grant[]
  /** PHC string of a user, SHA-256 of a robot's token. Stays inside this stage. */
  readonly credential: string
  /** Robots only; milliseconds since 1970. */
  readonly expiresAt: number | undefined
  /** Changes with the account's id and its credential, never with its grants: what was proven before then counts no more. */
  readonly epoch: string
}

export interface Directory {
  /** Out: the account of that name, at most two seconds old, and never older than a change made by this process. */
  find(name: string): Promise<Account | undefined>
  /** In: SHA-256 of a robot's token. Out: the robot that has it now; never by a hash that it had before. */
  findByToken(tokenHash: string): Promise<Account | undefined>
  /** To call when a change of that account was committed. */
  forget(name: string): void
}

const staleAfterMs = 2000
const mostRemembered = 10_000

interface Row {
  kind: AccountKind
  id: number
  credential: string
  expires_at: number | null
  action: Action | null
  pattern: string | null
}

// One statement, so that an account and its grants are of one instant.
const accountByName = `
  select a.kind, a.id, a.credential, a.expires_at, g.action, g.pattern
  from (
    select 'user' as kind, id, name, password as credential, cast(null as bigint) as expires_at from users where name = ?
    union all
    select 'robot', id, name, token_hash, expires_at from robots where name = ?
  ) a
  left join grants g on g.principal_kind = a.kind and g.principal_name = a.name`

/** Looks accounts up for every request: a snapshot per name, shared by all who ask while it is being read. */
export function createDirectory(records: Records, now: () => number): Directory {
  const query = records.prepare<Row>(accountByName)
  const robotByToken = records.prepare<{ name: string }>('select name from robots where token_hash = ?')
  const snapshots = createBoundedMap<{ readAt: number; account: Promise<Account | undefined> }>(mostRemembered)

  function find(name: string): Promise<Account | undefined> {
    if (!isAccountName(name)) return Promise.resolve(undefined)
    const at = now()
    const known = snapshots.get(name, at)
    // A clock that was set back must not keep a snapshot alive.
    if (known !== undefined && at >= known.readAt) return known.account
    const account = query.all(name, name).then((rows) => accountOf(name, rows))
    const snapshot = { readAt: at, account }
    snapshots.set(name, snapshot, at + staleAfterMs)
    account.catch(() => {
      if (snapshots.get(name, at) === snapshot) snapshots.delete(name)
    })
    return account
  }

  async function findByToken(tokenHash: string): Promise<Account | undefined> {
    const row = await robotByToken.first(tokenHash)
    const account = row === undefined ? undefined : await find(row.name)
    // The snapshot may be of another instant than the row: both must say the same.
    return account?.kind === 'robot' && account.credential === tokenHash ? account : undefined
  }

  return { find, findByToken, forget: (name) => snapshots.delete(name) }
}

/** Nothing of the credential goes with it. */
export function principalOf(account: Account): Principal {
  return { kind: account.kind, name: account.name, grants: [...account.grants] }
}

export function hasExpired(account: Account, now: number): boolean {
  return account.expiresAt !== undefined && account.expiresAt <= now
}

function accountOf(name: string, rows: Row[]): Account | undefined {
  const first = rows[0]
  if (first === undefined) return undefined
  if (rows.some((row) => row.kind !== first.kind))
    throw new LazaretError('INTERNAL', `${name} is both a user and a robot: remove one of them`)
  const grants = rows.flatMap((row) => (row.action === null ? [] : [Object.freeze({ action: row.action, pattern: row.pattern ?? '' })]))
  return Object.freeze({
    kind: first.kind,
    name,
    grants: Object.freeze(grants),
    credential: first.credential,
    expiresAt: first.expires_at ?? undefined,
    epoch: createHash('sha256').update(`${first.kind}\n${first.id}\n${first.credential}`).digest('base64url').slice(0, 22),
  })
}
