// Bearer tokens as docs.docker.com/registry "Token authentication implementation" has them: RFC 7519 with an `access` claim.
import { createHash, randomUUID } from 'node:crypto'
import { errors as joseErrors, jwtVerify, SignJWT, type JWTPayload } from 'jose'
import type { Principal } from '../model/access.ts'
import { principalId } from '../model/access.ts'
import { createBoundedMap } from './bounded-map.ts'
import { scopeMap, type Access } from './scopes.ts'
import type { SigningKey } from './signing-key.ts'

export const tokenSeconds = 300
export const refreshSeconds = 30 * 24 * 3600

/** What a token of ours says, once its signature, its times and its audience were checked. */
export interface TokenClaims {
  kind: Principal['kind']
  name: string
  /** The account's `epoch` when the token was made; empty for anonymous. */
  epoch: string
  scope: ReadonlyMap<string, ReadonlySet<string>>
  /** Seconds since 1970. */
  notBefore: number
  expiresAt: number
}

export type Verified = { claims: TokenClaims } | { reason: string }

/** Whom a token is made for. */
export interface TokenHolder {
  principal: Pick<Principal, 'kind' | 'name'>
  epoch: string
}

export interface Tokens {
  /** The `service` of challenges and the audience of tokens. */
  readonly service: string
  /** In: for whom, and what was allowed. Out: a token good for 300 s, and the instant it was made (seconds). */
  issueToken(holder: TokenHolder, access: readonly Access[]): Promise<{ token: string; issuedAt: number }>
  /** Out: a token for getting tokens by, and for nothing else. */
  issueRefreshToken(holder: TokenHolder): Promise<string>
  /** Says nothing about the account: who reads the claims looks it up. */
  verifyToken(text: string): Promise<Verified>
  verifyRefreshToken(text: string): Promise<Verified>
}

type Use = 'access' | 'refresh'

const issuer = 'lazaret'
const algorithm = 'EdDSA'
const headerType: Record<Use, string> = { access: 'JWT', refresh: 'refresh+jwt' }
const mostTokenLength = 16_384
const mostRemembered = 10_000
/** Longer ones, for many repositories, are remembered by their hash, which costs more time and less memory. */
const mostRememberedLength = 1024
/** Nodes' clocks may differ by this much. */
const skewSeconds = 10

export function createTokens(key: SigningKey, options: { service: string; now?: () => number }): Tokens {
  const { service } = options
  const now = options.now ?? Date.now
  const verified = createBoundedMap<TokenClaims>(mostRemembered)

  async function sign(use: Use, holder: TokenHolder, seconds: number, more: JWTPayload): Promise<{ token: string; issuedAt: number }> {
    const issuedAt = Math.floor(now() / 1000)
    const token = await new SignJWT({ ...more, epoch: holder.epoch })
      .setProtectedHeader({ alg: algorithm, typ: headerType[use], kid: key.kid })
      .setIssuer(issuer)
      .setSubject(principalId(holder.principal))
      .setAudience(service)
      .setIssuedAt(issuedAt)
      .setNotBefore(issuedAt - skewSeconds)
      .setExpirationTime(issuedAt + seconds)
      .setJti(randomUUID())
      .sign(key.privateKey)
    return { token, issuedAt }
  }

  /** The key is ours and the algorithm is fixed, whatever the header claims or carries. */
  async function verify(use: Use, text: string): Promise<Verified> {
    if (text.length > mostTokenLength) return { reason: 'it is too long' }
    try {
      const { payload, protectedHeader } = await jwtVerify(text, key.publicKey, {
        algorithms: [algorithm],
        issuer,
        audience: service,
        typ: headerType[use],
        requiredClaims: ['sub', 'exp', 'nbf', 'iat'],
        currentDate: new Date(now()),
      })
      if (protectedHeader.kid !== key.kid) return { reason: 'it names another key' }
      const claims = readClaims(payload)
      return claims === undefined ? { reason: 'its claims are not those of a token of ours' } : { claims }
    } catch (error) {
      if (error instanceof joseErrors.JOSEError) return { reason: reasonOf(error) }
      throw error
    }
  }

  return {
    service,
    issueToken: (holder, access) => sign('access', holder, tokenSeconds, { access }),
    issueRefreshToken: async (holder) => (await sign('refresh', holder, refreshSeconds, {})).token,
    async verifyToken(text) {
      const key = text.length <= mostRememberedLength ? text : `\n${createHash('sha256').update(text).digest('base64')}` // no header holds a line end: the hash of a token is none
      const known = verified.get(key, now())
      if (known !== undefined && now() >= known.notBefore * 1000) return { claims: known } // a clock that is set back makes no token live longer
      const outcome = await verify('access', text)
      if ('claims' in outcome) verified.set(key, outcome.claims, outcome.claims.expiresAt * 1000)
      return outcome
    },
    verifyRefreshToken: (text) => verify('refresh', text),
  }
}

function readClaims(payload: JWTPayload): TokenClaims | undefined {
  const { epoch, exp, nbf } = payload
  const access = payload['access'] ?? []
  const holder = readSubject(payload.sub ?? '')
  if (holder === undefined || typeof epoch !== 'string' || exp === undefined || nbf === undefined || !isAccessList(access)) return undefined
  return { ...holder, epoch, scope: scopeMap(access), notBefore: nbf, expiresAt: exp }
}

function readSubject(subject: string): Pick<TokenClaims, 'kind' | 'name'> | undefined {
  if (subject === 'anonymous') return { kind: 'anonymous', name: 'anonymous' }
  const match = /^(user|robot):(.+)$/.exec(subject)
  return match === null ? undefined : { kind: match[1] as 'user' | 'robot', name: match[2] ?? '' }
}

function isAccessList(value: unknown): value is Access[] {
  return Array.isArray(value) && value.every(isAccess)
}

function isAccess(value: unknown): value is Access {
  if (typeof value !== 'object' || value === null) return false
  const { type, name, actions } = value as Record<string, unknown>
  const isKnownType = type === 'repository' || type === 'registry'
  return isKnownType && typeof name === 'string' && Array.isArray(actions) && actions.every((action) => typeof action === 'string')
}

function reasonOf(error: joseErrors.JOSEError): string {
  if (error instanceof joseErrors.JWTExpired) return 'it has expired'
  if (error instanceof joseErrors.JWSSignatureVerificationFailed) return 'it was not signed here'
  if (error instanceof joseErrors.JWTClaimValidationFailed) return `its claim ${error.claim} is not as it must be`
  if (error instanceof joseErrors.JOSEAlgNotAllowed) return 'its algorithm is not ours'
  return 'it is not a token of ours'
}
