import type { IncomingMessage } from 'node:http'
import type { AskedName, House } from '../flow/house.ts'
import { plainAddress, rangesOf } from '../kit/network/ranges.ts'
import type { Settings } from '../kit/settings/settings.ts'
import { noteOf } from './request-note.ts'

// What a proxy in front says of a request: X-Forwarded-For, -Proto and -Host. They count only where the connection itself comes
// from an address in `trustedProxies`. `Forwarded` (RFC 7239) is not read: a proxy that sets one of the two passes the client's
// own through in the other.

/** Who asks, as far as the connection and the proxies that are believed tell. */
export interface Peer {
  /** The client's address. */
  address: string
  /** Whether a listed proxy hands the request on. */
  byProxy: boolean
}

/** In: the house. Out: what tells who asks; a proxy that is not listed, and says for whom it asks, is told of once in the log. */
export function readPeers({ settings, log }: Pick<House, 'settings' | 'log'>): (message: IncomingMessage) => Peer {
  return createPeerReader(settings, (address) =>
    log.warn({ address }, 'X-Forwarded-For of an address that is not in trustedProxies is not believed'),
  )
}

/** A chain is never so long; the node that is reached then stands for the client. */
const mostHops = 32

/**
 * In: the settings, and what is to be told of the first request that says it was forwarded by an address that is not listed.
 * Out: who asks. The client is the rightmost address of X-Forwarded-For that is not itself a listed proxy; where what stands
 * there is no address, it is the proxy that said so.
 */
export function createPeerReader(
  { behindProxy, trustedProxies }: Pick<Settings, 'behindProxy' | 'trustedProxies'>,
  onUnlisted: (address: string) => void,
): (message: IncomingMessage) => Peer {
  if (!behindProxy) return (message) => ({ address: socketAddress(message), byProxy: false })
  const trusted = rangesOf(trustedProxies)
  let told = false

  return (message) => {
    const peer = socketAddress(message)
    const given = message.headers['x-forwarded-for']
    if (!trusted.has(peer)) {
      if (given !== undefined && !told) onUnlisted(peer)
      told ||= given !== undefined
      return { address: peer, byProxy: false }
    }
    return { address: clientBehind(peer, hopsOf(given), trusted), byProxy: true }
  }
}

/** Duplicates of the header are one list (RFC 9110, 5.3), which Node has joined. */
function hopsOf(given: string | string[] | undefined): string[] {
  return given === undefined ? [] : String(given).split(',').slice(-mostHops).reverse()
}

function clientBehind(peer: string, hops: string[], trusted: { has(address: string): boolean }): string {
  let client = peer
  for (const hop of hops) {
    const address = hopAddress(hop.trim())
    if (address === undefined) return client
    client = address
    if (!trusted.has(client)) return client
  }
  return client
}

/** In: `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:4711`. Out: the address, else undefined. */
function hopAddress(hop: string): string | undefined {
  if (hop.length > 60) return undefined
  const bracketed = /^\[([^\]]+)\](?::\d{1,5})?$/.exec(hop)?.[1]
  const withPort = /^([^:]+):\d{1,5}$/.exec(hop)?.[1]
  return plainAddress(bracketed ?? withPort ?? hop)
}

function socketAddress(message: IncomingMessage): string {
  const address = message.socket.remoteAddress ?? ''
  return plainAddress(address) ?? address
}

/** In: a request that was noted. Out: its client's address, as it was told when the request began. */
export function addressOf(message: IncomingMessage): string {
  return noteOf(message)?.address ?? socketAddress(message)
}

/** In: a request that was noted. Out: the name that its client used: a listed proxy's word, else the Host header. */
export function askedName(message: IncomingMessage): AskedName {
  const { host } = message.headers
  if (noteOf(message)?.byProxy !== true) return { host, scheme: undefined }
  const scheme = lastOf(message.headers['x-forwarded-proto'])?.toLowerCase()
  return {
    host: lastOf(message.headers['x-forwarded-host']) ?? host,
    scheme: scheme === 'http' || scheme === 'https' ? scheme : undefined,
  }
}

/** The nearest proxy adds at the end; what stands before it may be the client's. */
function lastOf(given: string | string[] | undefined): string | undefined {
  const last = given === undefined ? '' : String(given).slice(-300).split(',').at(-1)?.trim()
  return last === '' ? undefined : last
}
