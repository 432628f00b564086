import { LazaretError } from '../kit/errors.ts'

export interface Credentials {
  username: string
  password: string
}

/** RFC 9110 §11.6.1, in the two schemes that registries use. */
export type Challenge = { scheme: 'basic' } | { scheme: 'bearer'; realm: URL; service?: string; scope?: string }

/** In: a WWW-Authenticate value. Out: the challenge, undefined where it is none that we know. */
export function parseChallenge(header: string | null): Challenge | undefined {
  if (header === null || header.length > 4096) return undefined
  if (/^basic\b/i.test(header)) return { scheme: 'basic' }
  if (!/^bearer\s/i.test(header)) return undefined
  const parameters = new Map([...header.matchAll(/(\w+)="([^"]*)"/g)].map(([, name = '', value = '']) => [name.toLowerCase(), value]))
  const realm = parameters.get('realm')
  if (realm === undefined || !URL.canParse(realm)) return undefined
  const service = parameters.get('service')
  const scope = parameters.get('scope')
  return {
    scheme: 'bearer',
    realm: new URL(realm),
    ...(service === undefined ? {} : { service }),
    ...(scope === undefined ? {} : { scope }),
  }
}

/**
 * Whether credentials for this registry may go to the realm that it names (CVE-2026-33540 sent them anywhere): its own host,
 * Docker Hub's, or the domain that the registry is a part of, and never from HTTPS to HTTP.
 */
export function isTrustedRealm(realm: URL, origin: string): boolean {
  const registry = new URL(origin)
  if (realm.protocol !== 'https:' && realm.protocol !== registry.protocol) return false
  if (realm.host === registry.host) return true
  if (registry.host === 'registry-1.docker.io') return realm.host === 'auth.docker.io'
  return realm.protocol === 'https:' && realm.hostname.split('.').length >= 2 && registry.hostname.endsWith(`.${realm.hostname}`)
}

export function basicHeader({ username, password }: Credentials): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
}

/** In: the answer of a token endpoint. Out: the Authorization header that it gives. Errors: UNAUTHORIZED. */
export function bearerHeader(answer: unknown): string {
  const { token, access_token: accessToken } = (answer ?? {}) as { token?: unknown; access_token?: unknown }
  const text = token ?? accessToken
  if (typeof text !== 'string' || text === '' || /[^\x21-\x7e]/.test(text))
    throw new LazaretError('UNAUTHORIZED', 'the registry gave no token')
  return `Bearer ${text}`
}
