import { randomBytes } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Actor } from '../store/audit.ts'
import type { Accounts } from './accounts.ts'
import type { Passwords } from './passwords.ts'
import { writePrivateFile } from './private-file.ts'

export interface AdminOutcome {
  /** `added`, `updated` (to the password given), or `kept` as it was. */
  admin: 'added' | 'updated' | 'kept'
  /** Only where it was generated just now: to be shown once, with the file that keeps it. */
  generated?: { password: string; file: string }
}

const system: Actor = { principal: 'system', address: 'local' }

/**
 * Sees to it at the start that somebody can sign in: where there is no user, adds `admin`, with the given password or a
 * generated one kept in `admin-password` (mode 0600) in the data folder; where `admin` is there and another password is
 * given, sets it. A removed `admin` does not come back while there are other users.
 */
export async function ensureAdmin(given: {
  accounts: Accounts
  passwords: Passwords
  dataFolder: string
  password?: string
}): Promise<AdminOutcome> {
  const { accounts, password } = given
  const file = join(given.dataFolder, 'admin-password')
  if (await accounts.hasUsers()) return password === undefined ? { admin: 'kept' } : updateAdmin(given, password, file)
  if (password === undefined) return addWithGenerated(accounts, file)
  return { admin: (await accounts.addFirstAdmin(system, password)) ? 'added' : 'kept' }
}

async function addWithGenerated(accounts: Accounts, file: string): Promise<AdminOutcome> {
  const password = randomBytes(18).toString('base64url')
  // First the file: a crash in between leaves a password without an account, which the next start replaces.
  await writePrivateFile(file, `${password}\n`)
  if (await accounts.addFirstAdmin(system, password)) return { admin: 'added', generated: { password, file } }
  await rm(file, { force: true })
  return { admin: 'kept' }
}

async function updateAdmin(given: { accounts: Accounts; passwords: Passwords }, password: string, file: string): Promise<AdminOutcome> {
  const admin = await given.accounts.find('admin')
  if (admin?.kind !== 'user') return { admin: 'kept' }
  if ((await given.passwords.verify(password, admin.credential)).matches) return { admin: 'kept' }
  await given.accounts.setPassword(system, 'admin', password, { anyLength: true })
  // The generated one no longer opens anything.
  await rm(file, { force: true })
  return { admin: 'updated' }
}
