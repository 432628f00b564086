import { isIP, isIPv4 } from 'node:net'

/** Where a listener binds. Port 0 is any free one. */
export interface Address {
  host: string
  port: number
}

/** In: `HOST:PORT`, `[IPv6]:PORT` or `:PORT` (every interface). Out: its parts, or undefined. */
export function parseAddress(given: string): Address | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9.-]*)):(\d{1,5})$/.exec(given)
  const port = Number(match?.[3])
  if (match === null || port > 65_535) return undefined
  if (match[1] !== undefined) return isIP(match[1]) === 6 ? { host: match[1], port } : undefined
  const host = match[2] === '' ? '::' : (match[2] ?? '')
  // Digits and dots that are no IPv4 address would be looked up as a name.
  if (/^[\d.]+$/.test(host) && !isIPv4(host)) return undefined
  return { host, port }
}

export function showAddress({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'))
}

export function isWildcard(host: string): boolean {
  return host === '::' || host === '0.0.0.0'
}

/** In: an `http` or `https` URL of a server, without path, query or user. Out: its origin, or undefined. */
export function parseOrigin(given: string): string | undefined {
  if (!/^https?:\/\/[^\s,/?#@\\]+\/?$/.test(given) || !URL.canParse(given)) return undefined
  return new URL(given).origin
}

/** In: where OTLP goes by HTTP. Out: the URL; without a path that of traces. Undefined for anything else. */
export function parseCollector(given: string): string | undefined {
  if (!/^https?:\/\/[^\s,?#@\\]+$/.test(given) || !URL.canParse(given)) return undefined
  const url = new URL(given)
  if (url.pathname === '/') url.pathname = '/v1/traces'
  return url.href
}

/** In: `10.20.0.0/16`, `fd00::/8`, or one address. Out: the range with its prefix length, or undefined. */
export function parseRange(given: string): string | undefined {
  const [address = '', prefix, ...rest] = given.split('/')
  const bits = isIP(address) === 4 ? 32 : 128
  if (isIP(address) === 0 || address.includes('%') || rest.length > 0) return undefined
  if (prefix === undefined) return `${address}/${bits}`
  return /^\d{1,3}$/.test(prefix) && Number(prefix) <= bits ? `${address}/${Number(prefix)}` : undefined
}
