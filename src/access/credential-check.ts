import { createHmac, randomBytes } from 'node:crypto'
import { LazaretError } from '../kit/errors.ts'
import { isAccountName } from './account-name.ts'
import type { Accounts } from './accounts.ts'
import { unauthorized, type Credentials } from './authorization-header.ts'
import { createBoundedMap } from './bounded-map.ts'
import { hasExpired, type Account } from './directory.ts'
import { maxPasswordBytes, type Passwords } from './passwords.ts'
import { robotTokenMatches } from './robot-token.ts'
import { createThrottle } from './throttle.ts'

const rememberedMs = 60_000
const mostRemembered = 10_000

/**
 * In: a name and a password or robot token, and the client's address. Out: the account, as it stands now.
 * Throws LazaretError UNAUTHORIZED, and TOOMANYREQUESTS after ten wrong ones a minute by one name from one address, or a hundred from it by any.
 */
export type CredentialCheck = (credentials: Credentials, address: string) => Promise<Account>

/** Checks once and remembers for 60 s: clients with Basic send the same credentials with every request. */
export function createCredentialCheck(given: {
  accounts: Accounts
  passwords: Passwords
  now: () => number
  /** Told of every sign-in that was refused, the name as it was typed where it can be one. */
  onRefused?: (name: string, address: string) => void
}): CredentialCheck {
  const { accounts, now } = given
  // What is remembered can't be turned back into a password without this key, which never leaves the process.
  const processKey = randomBytes(32)
  const epochs = createBoundedMap<string>(mostRemembered)
  const underWay = new Map<string, Promise<Account>>()
  const throttle = createThrottle({ now })

  async function check(credentials: Credentials, address: string): Promise<Account> {
    try {
      return await checked(credentials, address)
    } catch (error) {
      if (error instanceof LazaretError && (error.code === 'UNAUTHORIZED' || error.code === 'TOOMANYREQUESTS'))
        given.onRefused?.(isAccountName(credentials.name) ? credentials.name : notAName, address)
      throw error
    }
  }

  async function checked(credentials: Credentials, address: string): Promise<Account> {
    if (!isAccountName(credentials.name) || Buffer.byteLength(credentials.secret) > maxPasswordBytes) throw wrong()
    const key = createHmac('sha256', processKey).update(`${credentials.name}:${credentials.secret}`).digest('base64')
    return (await remembered(key, credentials.name)) ?? (await shared(`${key}\n${address}`, () => checkAnew(key, credentials, address)))
  }

  /** Good only while the account's id and credential are those that were checked. */
  async function remembered(key: string, name: string): Promise<Account | undefined> {
    const epoch = epochs.get(key, now())
    if (epoch === undefined) return undefined
    const account = await accounts.find(name)
    if (account?.epoch === epoch && !hasExpired(account, now())) return account
    epochs.delete(key)
    return undefined
  }

  /** A client that opens twenty connections at once has its password hashed once. */
  function shared(key: string, work: () => Promise<Account>): Promise<Account> {
    const running = underWay.get(key)
    if (running !== undefined) return running
    const promise = work().finally(() => underWay.delete(key))
    underWay.set(key, promise)
    return promise
  }

  async function checkAnew(key: string, credentials: Credentials, address: string): Promise<Account> {
    throttle.begin(credentials.name, address)
    const account = await examine(credentials).catch((error: unknown) => {
      throttle.undo(credentials.name, address)
      throw error
    })
    if (account === undefined) {
      throttle.failed(address)
      throw wrong()
    }
    throttle.clear(credentials.name, address)
    if (hasExpired(account, now())) throw unauthorized(`the token of the robot ${account.name} has expired`)
    epochs.set(key, account.epoch, now() + rememberedMs)
    return account
  }

  /** Out: the account, or undefined where the secret is wrong; unknown names, users and robots take the same time to be refused. */
  async function examine(credentials: Credentials, rehashes = true): Promise<Account | undefined> {
    const { name, secret } = credentials
    const account = await accounts.find(name)
    if (account?.kind === 'robot' && robotTokenMatches(secret, account.credential)) return account
    const stored = account?.kind === 'user' ? account.credential : undefined
    const { matches, outdated } = await given.passwords.verify(secret, stored)
    if (account === undefined || !matches) return undefined
    if (!outdated || !rehashes) return account
    return (await accounts.rehash(account, secret)) ?? (await examine(credentials, false))
  }

  return check
}

/** What is no name may be a password in the wrong field. */
const notAName = '(no name)'

function wrong(): Error {
  return unauthorized('the name or the password is wrong')
}
