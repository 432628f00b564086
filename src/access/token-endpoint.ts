// The two forms of asking for a token: docs.docker.com/registry "Token authentication specification" (GET) and
// "Oauth2 token authentication" (POST).
import { LazaretError } from '../kit/errors.ts'
import type { Principal } from '../model/access.ts'
import { parseAuthorization, unauthorized } from './authorization-header.ts'
import type { CredentialCheck } from './credential-check.ts'
import type { Account } from './directory.ts'
import { allowedAccess, parseScopes } from './scopes.ts'
import { tokenSeconds, type TokenHolder, type Tokens } from './tokens.ts'

export interface TokenRequest {
  /** The `Authorization` header: Basic, or none for what anyone may pull. */
  authorization?: string | undefined
  service?: string | undefined
  scopes: readonly string[]
  address: string
}

/** The form fields of the POST, as they came. */
export interface OAuthRequest {
  form: Readonly<Record<string, string | undefined>>
  address: string
}

/** The same token under both names that clients look for. */
export interface TokenAnswer {
  token: string
  access_token: string
  /** Seconds. */
  expires_in: number
  /** RFC 3339. */
  issued_at: string
  /** What of it was given, in the form of the request. */
  scope: string
  refresh_token?: string
}

export interface TokenEndpoint {
  /**
   * GET: a token for what of the scopes the grants allow, which may be nothing. Throws LazaretError UNAUTHORIZED for wrong
   * credentials, and for Bearer: a token can't prolong itself. Others: those of `parseScopes`, INPUT_INVALID, TOOMANYREQUESTS.
   */
  issue(request: TokenRequest): Promise<TokenAnswer>
  /** POST: by `password` or by `refresh_token`; `access_type=offline` adds a refresh token. */
  issueOAuth(request: OAuthRequest): Promise<TokenAnswer>
}

interface Asker extends TokenHolder {
  principal: Principal
}

export function createTokenEndpoint(given: {
  tokens: Tokens
  anonymous: () => Promise<Principal>
  /** With what anyone may. */
  holderOf: (account: Account) => Promise<Principal>
  check: CredentialCheck
  refreshed: (refreshToken: string) => Promise<Account>
}): TokenEndpoint {
  const { tokens } = given

  async function issue(request: TokenRequest): Promise<TokenAnswer> {
    requireService(request.service)
    const asker = await askerOf(request)
    return answer(asker, request.scopes)
  }

  async function issueOAuth({ form, address }: OAuthRequest): Promise<TokenAnswer> {
    requireService(form['service'])
    const asker = await askerFrom(await accountByGrant(form, address))
    const given = await answer(asker, [form['scope'] ?? ''])
    if (form['grant_type'] === 'refresh_token') return { ...given, refresh_token: field(form, 'refresh_token') }
    // Only here: a `docker login`, which asks by GET, would keep it instead of the password, and the kubelet can't use it.
    return form['access_type'] === 'offline' ? { ...given, refresh_token: await tokens.issueRefreshToken(asker) } : given
  }

  async function askerOf(request: TokenRequest): Promise<Asker> {
    if (request.authorization === undefined) return { principal: await given.anonymous(), epoch: '' }
    const authorization = parseAuthorization(request.authorization)
    if (authorization.scheme !== 'basic') throw unauthorized('a token is given for a name and password, not for a token')
    return askerFrom(await given.check(authorization.credentials, request.address))
  }

  async function askerFrom(account: Account): Promise<Asker> {
    return { principal: await given.holderOf(account), epoch: account.epoch }
  }

  async function accountByGrant(form: OAuthRequest['form'], address: string): Promise<Account> {
    switch (form['grant_type']) {
      case 'password':
        return given.check({ name: field(form, 'username'), secret: field(form, 'password') }, address)
      case 'refresh_token':
        return given.refreshed(field(form, 'refresh_token'))
      default:
        throw new LazaretError('INPUT_INVALID', 'grant_type is password or refresh_token')
    }
  }

  async function answer(asker: Asker, scopes: readonly string[]): Promise<TokenAnswer> {
    const access = allowedAccess(asker.principal, parseScopes(scopes))
    const { token, issuedAt } = await tokens.issueToken(asker, access)
    return {
      token,
      access_token: token,
      expires_in: tokenSeconds,
      issued_at: new Date(issuedAt * 1000).toISOString(),
      scope: access.map(({ type, name, actions }) => `${type}:${name}:${actions.join(',')}`).join(' '),
    }
  }

  function requireService(service: string | undefined): void {
    if (service === undefined || service === '' || service === tokens.service) return
    throw new LazaretError(
      'INPUT_INVALID',
      `this gives tokens for the service ${tokens.service}, not ${JSON.stringify(service.slice(0, 100))}`,
    )
  }

  return { issue, issueOAuth }
}

function field(form: OAuthRequest['form'], name: string): string {
  const value = form[name]
  if (value === undefined || value === '') throw new LazaretError('INPUT_INVALID', `the field ${name} is missing`)
  return value
}
