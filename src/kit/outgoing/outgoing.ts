import { Agent as PlainAgent, request as plainRequest, type ClientRequest, type IncomingMessage, type RequestOptions } from 'node:http'
import { Agent as TlsAgent, request as tlsRequest } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import { Readable } from 'node:stream'
import { LazaretError } from '../errors.ts'
import { nearnessOf, rangesOf, type AddressRanges, type Nearness } from '../network/ranges.ts'
import type { Settings } from '../settings/settings.ts'
import { trustAuthorities } from './authorities.ts'
import { createGuard } from './guard.ts'
import { proxyFor, type Environment, type Proxy } from './proxy.ts'
import { failureWords, lateWords, refusedByProxy, type Way } from './words.ts'

export type { Environment } from './proxy.ts'

/** Every request to another server goes through here: proxies, authorities, time, and where answers may lead. */
export interface Outgoing {
  /**
   * In: an http or https URL. Out: the answer when its head is in; its body is a stream, to be read or cancelled, and not decoded
   * (nothing encoded is asked for). Redirects are not followed. Errors, in the body's stream too: UNAVAILABLE in words that name
   * the proxy and the remedy, SETTING_INVALID, and DENIED where an answer leads into a private network.
   */
  fetch(url: URL, request?: OutgoingRequest): Promise<Response>
}

export interface OutgoingRequest {
  method?: string
  headers?: Readonly<Record<string, string>>
  body?: string | AsyncIterable<Uint8Array>
  signal?: AbortSignal
  /** The answer that led here, where this URL was not named by whoever runs this. */
  ledBy?: Response
  /** Until there is a connection: through a proxy, until its way is open. */
  connectMs?: number
  /** From then until the head of the answer; none where it may take any time. */
  answerMs?: number
  /** How long the body may stand still; none where it may take any time. */
  idleMs?: number
}

const usualConnectMs = 30_000

/** In: the settings of the network, and the environment with its HTTPS_PROXY, HTTP_PROXY and NO_PROXY. Errors: SETTING_INVALID. */
export function createOutgoing({ network }: Pick<Settings, 'network'>, env: Environment): Outgoing {
  trustAuthorities(network.ca)
  const allowed = rangesOf(network.allowPrivate)
  const nearness = new WeakMap<Response, Nearness>()

  return {
    async fetch(url, request = {}) {
      if (url.protocol !== 'http:' && url.protocol !== 'https:') throw new LazaretError('INPUT_INVALID', `${url.protocol}// is not asked`)
      const proxy = proxyFor(url, env)
      const way: Way = { target: url.host, origin: url.origin, proxy }
      const lookup = guarded(url, proxy, request.ledBy === undefined ? undefined : (nearness.get(request.ledBy) ?? 'public'), allowed)
      const sent = open(url, proxy, lookup, request)
      const answer = await headOf(sent, request, way)
      if (proxy !== undefined && answer.statusCode === 407) {
        answer.destroy()
        throw new LazaretError('UNAVAILABLE', refusedByProxy(407, way.target, proxy))
      }
      const response = responseOf(answer, request, way)
      nearness.set(response, reachedNearness(url, proxy, answer))
      return response
    },
  }
}

/** A name that a proxy looks up is its affair; what stands in the URL as an address is ours. */
function guarded(url: URL, proxy: Proxy | undefined, from: Nearness | undefined, allowed: AddressRanges): LookupFunction | undefined {
  if (from === undefined) return undefined
  const guard = createGuard(url.host, from, allowed)
  const host = hostOf(url)
  if (isIP(host) !== 0) guard.check(host)
  else if (/(?:^|\.)localhost\.?$/i.test(host)) guard.check('127.0.0.1')
  return proxy === undefined ? guard.lookup : undefined
}

function reachedNearness(url: URL, proxy: Proxy | undefined, answer: IncomingMessage): Nearness {
  if (proxy === undefined) return nearnessOf(answer.socket.remoteAddress ?? '')
  return isIP(hostOf(url)) === 0 ? 'public' : nearnessOf(hostOf(url))
}

function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '')
}

/** Node opens the way through the proxy, and signs in there. Each request has a connection of its own. */
function open(url: URL, proxy: Proxy | undefined, lookup: LookupFunction | undefined, request: OutgoingRequest): ClientRequest {
  const isTls = url.protocol === 'https:'
  const proxyEnv = proxy === undefined ? {} : isTls ? { HTTPS_PROXY: proxy.url } : { HTTP_PROXY: proxy.url }
  const options: RequestOptions = {
    method: request.method ?? 'GET',
    headers: { ...request.headers },
    agent: new (isTls ? TlsAgent : PlainAgent)({ keepAlive: false, proxyEnv }),
    timeout: request.connectMs ?? usualConnectMs,
    ...(lookup === undefined ? {} : { lookup }),
  }
  return isTls ? tlsRequest(url, options) : plainRequest(url, options)
}

/** Sends the request and waits for the head of the answer. */
function headOf(sent: ClientRequest, request: OutgoingRequest, way: Way): Promise<IncomingMessage> {
  const { connectMs = usualConnectMs, answerMs, signal } = request
  return new Promise((resolve, reject) => {
    let timer = setTimeout(late, connectMs, 'connection', connectMs)
    function done(): void {
      clearTimeout(timer)
      signal?.removeEventListener('abort', abort)
    }
    function fail(error: unknown): void {
      done()
      reject(failureWords(error, way))
      sent.destroy()
    }
    function late(what: 'connection' | 'answer', ms: number): void {
      fail(new LazaretError('UNAVAILABLE', lateWords(what, ms, way)))
    }
    function abort(): void {
      fail(signal?.reason)
    }
    function connected(): void {
      clearTimeout(timer)
      sent.setTimeout(0)
      if (answerMs !== undefined) timer = setTimeout(late, answerMs, 'answer', answerMs)
    }
    sent.once('socket', (socket) => {
      const { secureConnecting = false } = socket as { secureConnecting?: boolean }
      if (!socket.connecting && !secureConnecting) connected()
      else socket.once(secureConnecting ? 'secureConnect' : 'connect', connected)
    })
    sent.once('response', (answer) => {
      done()
      resolve(answer)
    })
    sent.on('error', fail) // those that come after the answer are the body's
    signal?.addEventListener('abort', abort, { once: true })
    if (signal?.aborted === true) abort()
    else sendBody(sent, request.body, fail)
  })
}

function sendBody(sent: ClientRequest, body: OutgoingRequest['body'], fail: (error: unknown) => void): void {
  if (body === undefined || typeof body === 'string') sent.end(body)
  else Readable.from(body).once('error', fail).pipe(sent)
}

const withoutBody: ReadonlySet<number> = new Set([101, 204, 205, 304])

function responseOf(answer: IncomingMessage, request: OutgoingRequest, way: Way): Response {
  const status = answer.statusCode ?? 0
  if (status < 200 || status > 599) {
    answer.destroy()
    throw new LazaretError('UNAVAILABLE', `${way.target} answers ${status}, which is no status`)
  }
  const headers = new Headers()
  for (const [name, values = []] of Object.entries(answer.headersDistinct)) for (const value of values) headers.append(name, value)
  if (!withoutBody.has(status) && request.method !== 'HEAD')
    return new Response(ReadableStream.from(bodyOf(answer, request, way)) as ReadableStream<Uint8Array>, { status, headers })
  answer.resume()
  return new Response(null, { status, headers })
}

async function* bodyOf(answer: IncomingMessage, { idleMs, signal }: OutgoingRequest, way: Way): AsyncGenerator<Uint8Array> {
  const stop = () => answer.destroy(signal?.reason instanceof Error ? signal.reason : new Error('given up'))
  signal?.addEventListener('abort', stop, { once: true })
  if (idleMs !== undefined) answer.setTimeout(idleMs, () => answer.destroy(new LazaretError('UNAVAILABLE', lateWords('rest', idleMs, way))))
  try {
    for await (const chunk of answer) yield chunk as Uint8Array
  } catch (error) {
    throw failureWords(error, way)
  } finally {
    signal?.removeEventListener('abort', stop)
    answer.destroy()
  }
}
