import { LazaretError, messageOf } from '../errors.ts'
import type { Proxy } from './proxy.ts'

/** Where a request went, for what is said when it fails. */
export interface Way {
  /** `registry.example:8443`, and with its scheme. */
  target: string
  origin: string
  proxy: Proxy | undefined
}

/** Of a certificate whose chain ends at nobody that is known here (openssl-verify(1)). */
const unknownAuthority = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'CERT_UNTRUSTED',
])
const unreachable = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'ETIMEDOUT'])

interface Failure {
  code?: string
  statusCode?: number
  errors?: { code?: string }[]
}

/** In: what a request failed with. Out: UNAVAILABLE, in words that name the proxy where it is the proxy's doing, and the remedy. */
export function failureWords(error: unknown, way: Way): LazaretError {
  if (error instanceof LazaretError) return error
  const failure = error as Failure
  const code = failure.code ?? failure.errors?.[0]?.code
  return new LazaretError(
    'UNAVAILABLE',
    certificateWords(code, error, way) ?? proxyWords(code, failure, way) ?? plainWords(code, error, way),
    {
      cause: error,
    },
  )
}

function certificateWords(code: string | undefined, error: unknown, { target, proxy }: Way): string | undefined {
  const whose = `the certificate of ${target}${through(proxy)}`
  if (code !== undefined && unknownAuthority.has(code))
    return `${whose} is by an authority that is not known here (${code}): if it is yours, name its PEM file in network.ca (LAZARET_NETWORK_CA) or NODE_EXTRA_CA_CERTS`
  if (code === 'CERT_HAS_EXPIRED') return `${whose} has expired`
  if (code === 'CERT_NOT_YET_VALID') return `${whose} is not valid yet: is the clock right?`
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return `${whose} is for another name: ${messageOf(error).slice(0, 300)}`
  return undefined
}

function proxyWords(code: string | undefined, { statusCode, errors }: Failure, { target, proxy }: Way): string | undefined {
  if (proxy === undefined) return undefined
  const who = `the proxy ${proxy.shown} (${proxy.variable})`
  if (statusCode !== undefined && Number.isInteger(statusCode)) return refusedByProxy(statusCode, target, proxy)
  const isBroken = statusCode !== undefined || (code?.startsWith('HPE_') === true && /^http_/i.test(proxy.variable)) // in a tunnel it is the server's
  if (isBroken) return `${who} does not answer as an HTTP proxy does`
  if (code === 'ERR_PROXY_TUNNEL') return `${who} does not open a way to ${target}: it closes the connection or takes too long`
  if (code !== undefined && (unreachable.has(code) || errors !== undefined)) return `${who} cannot be reached (${code})`
  return undefined
}

/** In: the status that a proxy answered of itself. */
export function refusedByProxy(status: number, target: string, { shown, variable }: Proxy): string {
  // Some answer 401 to a sign-in that is wrong, though RFC 9110 has 407 for it.
  if (status === 407 || status === 401)
    return `the proxy ${shown} wants a sign-in, or another one (${status}): ${variable} can have it as http://USER:PASSWORD@HOST:PORT, percent-encoded`
  return `the proxy ${shown} (${variable}) does not open a way to ${target}: it answers ${status}`
}

function plainWords(code: string | undefined, error: unknown, { origin, proxy }: Way): string {
  return `${origin} does not answer${through(proxy)} (${code ?? messageOf(error).slice(0, 200)})`
}

/** In: seconds that were waited for what. */
export function lateWords(what: 'connection' | 'answer' | 'rest', ms: number, { target, origin, proxy }: Way): string {
  const seconds = `${ms / 1000} s`
  if (what === 'rest') return `${origin} stopped in the middle of its answer${through(proxy)}: nothing came for ${seconds}`
  if (what === 'connection' && proxy !== undefined)
    return `the proxy ${proxy.shown} (${proxy.variable}) opens no way to ${target} within ${seconds}`
  return `${origin} does not answer${through(proxy)} within ${seconds}`
}

function through(proxy: Proxy | undefined): string {
  return proxy === undefined ? '' : ` through the proxy ${proxy.shown}`
}
