import type { Grant } from '../model/access.ts'
import type { Records } from '../store/records/records.ts'
import { createAccounts, type Accounts } from './accounts.ts'
import { ensureAdmin, type AdminOutcome } from './first-admin.ts'
import { createPasswords } from './passwords.ts'
import { createSignIn, type SignIn } from './signin.ts'
import { loadSigningKey } from './signing-key.ts'
import { createTokens } from './tokens.ts'

export interface AccessSettings {
  records: Records
  dataFolder: string
  /** The `service` of challenges and the audience of tokens. */
  service: string
  /** Repository patterns that anyone may pull. */
  publicPatterns: readonly string[]
  /** Instead of `publicPatterns`, where they change while it serves. */
  publicGrants?: () => Promise<readonly Grant[]>
  /** Told of every sign-in that was refused. */
  onRefused?: (name: string, address: string) => void
  adminPassword?: string
  now?: () => number
}

export interface AccessStage {
  accounts: Accounts
  signIn: SignIn
  /**
   * What became of the first administrator at this start: hashing takes a moment, in which the rest of a start goes on. To be
   * awaited before anybody is let in.
   */
  admin: Promise<AdminOutcome>
}

/** Who may do what, ready to be asked. Throws what `loadSigningKey` throws; `admin` rejects with what `ensureAdmin` throws. */
export async function openAccess(settings: AccessSettings): Promise<AccessStage> {
  const clock = settings.now === undefined ? {} : { now: settings.now }
  const passwords = createPasswords()
  const accounts = createAccounts(settings.records, { passwords, ...clock })
  const tokens = createTokens(await loadSigningKey(settings.dataFolder), { service: settings.service, ...clock })
  const password = settings.adminPassword === undefined ? {} : { password: settings.adminPassword }
  const admin = ensureAdmin({ accounts, passwords, dataFolder: settings.dataFolder, ...password })
  const { publicPatterns, publicGrants, onRefused } = settings
  const signIn = createSignIn({
    accounts,
    passwords,
    tokens,
    publicPatterns,
    ...(publicGrants === undefined ? {} : { publicGrants }),
    ...(onRefused === undefined ? {} : { onRefused }),
    ...clock,
  })
  admin.catch(() => undefined) // told to whoever awaits it
  return { accounts, signIn, admin }
}
