import type { Grant, Principal } from '../model/access.ts'
import type { Accounts } from './accounts.ts'
import { parseAuthorization, unauthorized } from './authorization-header.ts'
import { createCredentialCheck, type CredentialCheck } from './credential-check.ts'
import { hasExpired, principalOf, type Account } from './directory.ts'
import type { Passwords } from './passwords.ts'
import { createTokenEndpoint, type TokenEndpoint } from './token-endpoint.ts'
import { isRobotToken } from './robot-token.ts'
import type { TokenClaims, Tokens, Verified } from './tokens.ts'

export interface SignIn extends TokenEndpoint {
  /**
   * In: the `Authorization` header and the client's address. Out: who asks: without a header `anonymous`, by Basic the
   * account, by Bearer the account with the token's `scope`, or a robot by its own token (`lzr_…`), as by Basic. Accounts and grants are looked up anew each time.
   * Throws LazaretError UNAUTHORIZED on anything wrong, never falling back to `anonymous`; TOOMANYREQUESTS.
   */
  authenticate(header: string | undefined, address: string): Promise<Principal>
  /** Name and password without a header, for the page. */
  check: CredentialCheck
}

export interface SignInParts {
  accounts: Accounts
  passwords: Passwords
  tokens: Tokens
  /** Repository patterns that anyone may pull. */
  publicPatterns: readonly string[]
  /** The same where it changes while it serves; then it counts instead. Asked for each request. */
  publicGrants?: () => Promise<readonly Grant[]>
  /** Told of every sign-in that was refused. */
  onRefused?: (name: string, address: string) => void
  now?: () => number
}

/** In: accounts and tokens, and what anyone may pull. */
export function createSignIn(given: SignInParts): SignIn {
  const { accounts, passwords, tokens } = given
  const now = given.now ?? Date.now
  const refused = given.onRefused ?? (() => undefined)
  const check = createCredentialCheck({ accounts, passwords, now, onRefused: refused })
  const fixed = given.publicPatterns.map((pattern): Grant => ({ action: 'pull', pattern }))
  const publicGrants = given.publicGrants ?? (async () => fixed)

  const principals = createPrincipals()

  async function anonymous(): Promise<Principal> {
    return { kind: 'anonymous', name: 'anonymous', grants: [...(await publicGrants())] }
  }

  async function holderOf(account: Account): Promise<Principal> {
    return principals.holderOf(account, await publicGrants())
  }

  async function authenticate(header: string | undefined, address: string): Promise<Principal> {
    if (header === undefined) return anonymous()
    const authorization = parseAuthorization(header)
    if (authorization.scheme === 'basic') return holderOf(await check(authorization.credentials, address))
    if (isRobotToken(authorization.token)) return holderOf(await robotBehind(authorization.token, address))
    const claims = requireVerified(await tokens.verifyToken(authorization.token))
    if (claims.kind === 'anonymous') return { ...(await anonymous()), scope: claims.scope }
    return principals.within(claims, await holderOf(await accountBehind(claims)))
  }

  /** The token says all: 256 random bits, so that there is nothing to guess and nothing to slow down. */
  async function robotBehind(token: string, address: string): Promise<Account> {
    const robot = await accounts.findByToken(token)
    if (robot === undefined || hasExpired(robot, now())) refused(robot?.name ?? '(token)', address)
    if (robot === undefined) throw invalidToken('no robot has it')
    if (hasExpired(robot, now())) throw unauthorized(`the token of the robot ${robot.name} has expired`, { error: 'invalid_token' })
    return robot
  }

  /** A token ends with the account that it was made for, also where another came up under its name, and with its password. */
  async function accountBehind(claims: TokenClaims): Promise<Account> {
    const account = await accounts.find(claims.name)
    const isSame = account !== undefined && account.kind === claims.kind && account.epoch === claims.epoch
    if (!isSame || hasExpired(account, now())) throw invalidToken('its account is gone or was changed')
    return account
  }

  const endpoint = createTokenEndpoint({
    tokens,
    anonymous,
    holderOf,
    check,
    refreshed: async (text) => accountBehind(requireVerified(await tokens.verifyRefreshToken(text))),
  })
  return { authenticate, check, ...endpoint }
}

/** Principals by the very snapshot of the account, of what is public, and of the token that they were made from. */
function createPrincipals() {
  const holders = new WeakMap<Account, { open: readonly Grant[]; principal: Principal }>()
  const bearers = new WeakMap<TokenClaims, { holder: Principal; principal: Principal }>()
  return {
    /** What anyone may, whoever is signed in may too. */
    holderOf(account: Account, open: readonly Grant[]): Principal {
      const known = holders.get(account)
      if (known?.open === open) return known.principal
      const own = principalOf(account)
      const principal = { ...own, grants: [...own.grants, ...open] }
      holders.set(account, { open, principal })
      return principal
    },
    within(claims: TokenClaims, holder: Principal): Principal {
      const known = bearers.get(claims)
      if (known?.holder === holder) return known.principal
      const principal = { ...holder, scope: claims.scope }
      bearers.set(claims, { holder, principal })
      return principal
    },
  }
}

function requireVerified(outcome: Verified): TokenClaims {
  if ('reason' in outcome) throw invalidToken(outcome.reason)
  return outcome.claims
}

function invalidToken(reason: string): Error {
  return unauthorized(`the token is not valid: ${reason}`, { error: 'invalid_token' })
}
