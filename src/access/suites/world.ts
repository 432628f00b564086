import { generateKeyPairSync } from 'node:crypto'
import { calculateJwkThumbprint, exportJWK } from 'jose'
import type { Actor } from '../../store/audit.ts'
import type { Records } from '../../store/records/records.ts'
import type { OpenRecords } from '../../store/suites/records.ts'
import { createAccounts, type Accounts } from '../accounts.ts'
import { parseGrants } from '../grants.ts'
import { createPasswords, type Passwords } from '../passwords.ts'
import { createSignIn, type SignIn } from '../signin.ts'
import type { SigningKey } from '../signing-key.ts'
import { createTokens, type Tokens } from '../tokens.ts'

/** The stage over empty records, with a clock that the test moves and hashing that costs little. */
export interface World {
  records: Records
  clock: { now: number }
  passwords: Passwords
  /** How often a password was hashed to be compared. */
  verified: { count: number }
  accounts: Accounts
  key: SigningKey
  tokens: Tokens
  signIn: SignIn
}

export const actor: Actor = { principal: 'user:admin', address: '192.0.2.1' }
export const address = '192.0.2.7'
export const cheap = { memoryKiB: 8, passes: 1, lanes: 1 }
export const service = 'registry.example'

export async function openWorld(open: OpenRecords, publicPatterns: readonly string[] = []): Promise<World> {
  const records = await open()
  const clock = { now: 1_800_000_000_000 }
  const now = () => clock.now
  const verified = { count: 0 }
  const passwords = counting(createPasswords({ parameters: cheap }), verified)
  const accounts = createAccounts(records, { passwords, now })
  const key = await newKey()
  const tokens = createTokens(key, { service, now })
  const signIn = createSignIn({ accounts, passwords, tokens, publicPatterns, now })
  return { records, clock, passwords, verified, accounts, key, tokens, signIn }
}

export async function newKey(): Promise<SigningKey> {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  return { privateKey, publicKey, kid: await calculateJwkThumbprint(await exportJWK(publicKey)) }
}

export function addUser(world: World, name: string, ...grants: string[]): Promise<void> {
  return world.accounts.addUser(actor, { name, password: passwordOf(name), grants: parseGrants(grants) })
}

export async function addRobot(world: World, name: string, ...grants: string[]): Promise<string> {
  return (await world.accounts.addRobot(actor, { name, grants: parseGrants(grants) })).token
}

export function passwordOf(name: string): string {
  return `the-password-of-${name}`
}

export function basic(name: string, secret = passwordOf(name)): string {
  return `Basic ${Buffer.from(`${name}:${secret}`).toString('base64')}`
}

export async function bearer(world: World, name: string, ...scopes: string[]): Promise<string> {
  return `Bearer ${(await world.signIn.issue({ authorization: basic(name), scopes, address })).token}`
}

function counting(passwords: Passwords, verified: { count: number }): Passwords {
  return {
    hash: passwords.hash,
    verify(password, stored) {
      verified.count++
      return passwords.verify(password, stored)
    },
  }
}
