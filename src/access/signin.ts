import type { Principal } from '../model/access.ts'
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

/** In: accounts, tokens, and the repository patterns that anyone may pull. */
export function createSignIn(given: {
  accounts: Accounts
  passwords: Passwords
  tokens: Tokens
  publicPatterns: readonly string[]
  now?: () => number
}): SignIn {
  const { accounts, passwords, tokens } = given
  const now = given.now ?? Date.now
  const check = createCredentialCheck({ accounts, passwords, now })
  const anonymous: Principal = {
    kind: 'anonymous',
    name: 'anonymous',
    grants: given.publicPatterns.map((pattern) => ({ action: 'pull', pattern })),
  }

  async function authenticate(header: string | undefined, address: string): Promise<Principal> {
    if (header === undefined) return anonymous
    const authorization = parseAuthorization(header)
    if (authorization.scheme === 'basic') return principalOf(await check(authorization.credentials, address))
    if (isRobotToken(authorization.token)) return principalOf(await robotBehind(authorization.token))
    const claims = requireVerified(await tokens.verifyToken(authorization.token))
    const holder = claims.kind === 'anonymous' ? anonymous : principalOf(await accountBehind(claims))
    return { ...holder, scope: claims.scope }
  }

  /** The token says all: 256 random bits, so that there is nothing to guess and nothing to slow down. */
  async function robotBehind(token: string): Promise<Account> {
    const robot = await accounts.findByToken(token)
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
    check,
    refreshed: async (text) => accountBehind(requireVerified(await tokens.verifyRefreshToken(text))),
  })
  return { authenticate, check, ...endpoint }
}

function requireVerified(outcome: Verified): TokenClaims {
  if ('reason' in outcome) throw invalidToken(outcome.reason)
  return outcome.claims
}

function invalidToken(reason: string): Error {
  return unauthorized(`the token is not valid: ${reason}`, { error: 'invalid_token' })
}
