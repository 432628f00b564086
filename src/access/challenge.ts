// The WWW-Authenticate header of a 401 (RFC 6750, section 3), which tells a client where tokens are made.

/** In: the realm URL, the service, the scope that the request needs, and RFC 6750's error word. Out: the header's value. */
export function challenge(realm: string, service: string, scope?: string, error?: 'invalid_token' | 'insufficient_scope'): string {
  const parameters = [
    ['realm', realm],
    ['service', service],
    ['scope', scope],
    ['error', error],
  ]
  return `Bearer ${parameters.flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${quoted(value)}`])).join(',')}`
}

/** The name under which a client asked. */
export interface AskedName {
  host: string | undefined
  /** Known only where a proxy that is believed told it. */
  scheme: 'http' | 'https' | undefined
}

/**
 * Where the client finds the token endpoint: under the name that it asked, where that is one of ours, else under the first.
 * Never under a name that only the request knows: a forged Host would send passwords elsewhere. A proxy that is believed is asked
 * where no name is set: it reaches us under a name of its own, and clients can't.
 * In: the Host header, the public URLs (at least one), the endpoint's path, the scheme that such a proxy told. Out: its URL.
 */
export function realmFor(asked: {
  hostHeader: string | undefined
  publicUrls: readonly string[]
  path: string
  proxyScheme?: 'http' | 'https' | undefined
}): string {
  const urls = asked.publicUrls.map((url) => new URL(url))
  const first = urls[0]
  if (first === undefined) throw new TypeError('realmFor needs at least one public URL')
  const told = asked.proxyScheme === undefined ? undefined : askedUrl(asked.proxyScheme, asked.hostHeader)
  if (told !== undefined) return `${told.origin}${asked.path}`
  for (const url of urls) {
    const host = hostUnder(url, asked.hostHeader)
    if (host !== undefined) return `${url.protocol}//${host}${asked.path}`
  }
  return `${first.protocol}//${first.host}${asked.path}`
}

const loopback = new Set(['localhost', '127.0.0.1', '[::1]'])

/** Out: the host and port that was asked, where it is this URL's or both are loopback on one port. */
function hostUnder(url: URL, hostHeader: string | undefined): string | undefined {
  const asked = askedUrl(url.protocol.slice(0, -1), hostHeader)
  if (asked === undefined) return undefined
  const isSame = asked.host === url.host || (loopback.has(asked.hostname) && loopback.has(url.hostname) && asked.port === url.port)
  return isSame ? asked.host : undefined
}

function askedUrl(scheme: string, hostHeader: string | undefined): URL | undefined {
  if (hostHeader === undefined || !/^[A-Za-z0-9.:[\]-]{1,255}$/.test(hostHeader)) return undefined
  const text = `${scheme}://${hostHeader}`
  return URL.canParse(text) ? new URL(text) : undefined
}

/** A quoted-string (RFC 9110, 5.6.4); what a header can't carry becomes `?`. */
function quoted(value: string): string {
  return `"${value.replaceAll(/[^\x20-\x7e]/g, '?').replaceAll(/["\\]/g, '\\$&')}"`
}
