import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { LazaretError } from '../kit/errors.ts'
import type { Log } from '../kit/log.ts'
import type { CounterSeries, HistogramSeries, Metrics } from '../kit/metrics.ts'
import { principalId } from '../model/access.ts'
import { createRefusalCount } from './counted.ts'
import type { Peer } from './forwarded.ts'
import { keepNote, noteOf, requestIdOf, type RequestNote } from './request-note.ts'
import { spanOf } from './request-span.ts'

/** Counts each request when it has ended, and writes its line. */
export interface RequestWatch {
  /** In: a request of which nothing was read yet but its head. */
  begin(request: IncomingMessage, response: ServerResponse): void
  /** Requests under way. */
  open(): number
}

const methods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
/** From a hit in the cache to a large blob over a slow line. */
const bounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300]
/** What a client that went away before the answer is counted as; nginx has the same. */
const wentAway = 499

interface Figures {
  requests: CounterSeries
  received: CounterSeries
  sent: CounterSeries
  duration: HistogramSeries
}

/** In: what tells who asks. */
export function createRequestWatch(metrics: Metrics, log: Log, peerOf: (request: IncomingMessage) => Peer): RequestWatch {
  const figuresOf = createFigures(metrics)
  const countRefusal = createRefusalCount(metrics)
  let openCount = 0

  function onClose(this: ServerResponse): void {
    const request = this.req as IncomingMessage
    const note = noteOf(request)
    if (note === undefined) return
    openCount--
    if (note.error !== undefined) countRefusal(note.error)
    const status = this.headersSent ? this.statusCode : wentAway
    const route = note.route ?? routeClassOf(request.url ?? '')
    const seconds = (performance.now() - note.startedAt) / 1000
    const { received, sent } = bytesSince(note.socket)
    const figures = figuresOf(methods.has(request.method ?? '') ? (request.method ?? '') : 'other', route, status)
    figures.requests.add()
    figures.received.add(received)
    figures.sent.add(sent)
    figures.duration.observe(seconds)
    const level = levelOf(request, status)
    if (log.isLevelEnabled(level))
      log[level](lineOf(request, note, { status, seconds, received, sent, whole: this.writableFinished }), 'request')
  }

  return {
    begin(request, response) {
      keepNote(request, {
        id: requestIdOf(request),
        ...peerOf(request),
        startedAt: performance.now(),
        socket: request.socket,
        principal: undefined,
        route: undefined,
        error: undefined,
      })
      openCount++
      response.on('close', onClose) // comes once
    },
    open: () => openCount,
  }
}

/** Found by three looks in maps, which is less than making one key: the series of its method, kind and status. */
function createFigures(metrics: Metrics): (method: string, route: string, status: number) => Figures {
  const requests = metrics.counter({
    name: 'lazaret_http_requests',
    help: 'Requests that have ended; status 499: the client went away before the answer.',
    labels: ['method', 'route', 'status'],
  })
  const received = metrics.counter({
    name: 'lazaret_http_received_bytes',
    unit: 'bytes',
    help: 'Read from clients, heads included, TLS not.',
    labels: ['route'],
  })
  const sent = metrics.counter({
    name: 'lazaret_http_sent_bytes',
    unit: 'bytes',
    help: 'Written to clients, heads included, TLS not.',
    labels: ['route'],
  })
  const duration = metrics.histogram({
    name: 'lazaret_http_request_duration_seconds',
    unit: 'seconds',
    help: 'From the head of a request to the last byte of its answer, with the time that the client takes to send and to read.',
    labels: ['route'],
    bounds,
  })
  const known = new Map<string, Map<string, Map<number, Figures>>>()
  return (method, route, status) => {
    const byStatus = within(within(known, method), route)
    const found = byStatus.get(status)
    if (found !== undefined) return found
    const made = {
      requests: requests.of(method, route, String(status)),
      received: received.of(route),
      sent: sent.of(route),
      duration: duration.of(route),
    }
    byStatus.set(status, made)
    return made
  }
}

function within<Key, Inner>(map: Map<string, Map<Key, Inner>>, key: string): Map<Key, Inner> {
  const found = map.get(key)
  if (found !== undefined) return found
  const made = new Map<Key, Inner>()
  map.set(key, made)
  return made
}

const afterName = /\/(blobs\/uploads|blobs|manifests|tags|referrers)(?:\/[^/]*)?$/

/** In: a path, as it was sent. Out: a word of a closed list; names in it are the client's, and stay out. */
export function routeClassOf(url: string): string {
  const query = url.indexOf('?')
  const path = query < 0 ? url : url.slice(0, query)
  if (path.startsWith('/v2/')) {
    if (path === '/v2/') return 'ping'
    const kind = path.length > 4096 ? undefined : afterName.exec(path)?.[1]
    if (kind !== undefined) return kind === 'blobs/uploads' ? 'uploads' : kind
    return path === '/v2/_catalog' ? 'catalog' : 'other'
  }
  if (path === '/v2') return 'ping'
  if (path === '/token') return 'token'
  if (path === '/metrics') return 'metrics'
  if (path.startsWith('/health/')) return 'health'
  return path === '/api' || path.startsWith('/api/') ? 'api' : 'other'
}

const counted = Symbol('bytes counted')
type CountedSocket = Socket & { [counted]?: { read: number; written: number } }

/** What moved on a connection since the request before: so that the sum over requests is what moved in all. */
function bytesSince(socket: CountedSocket): { received: number; sent: number } {
  const before = (socket[counted] ??= { read: 0, written: 0 })
  const { bytesRead, bytesWritten } = socket
  const moved = { received: bytesRead - before.read, sent: bytesWritten - before.written }
  before.read = bytesRead
  before.written = bytesWritten
  return moved
}

/**
 * Writes and refusals are for everybody who runs a registry, reads that pass for who looks closer. A 404, and a 401 to who came
 * without credentials, are how clients find their way: no refusals.
 */
function levelOf({ method, headers }: IncomingMessage, status: number): 'info' | 'debug' {
  if (method !== 'GET' && method !== 'HEAD') return 'info'
  if (status < 400 || status === 404 || status === wentAway) return 'debug'
  return status === 401 && headers.authorization === undefined ? 'debug' : 'info'
}

function lineOf(
  request: IncomingMessage,
  note: RequestNote,
  ended: { status: number; seconds: number; received: number; sent: number; whole: boolean },
) {
  const url = request.url ?? ''
  const query = url.search(/[?#]/)
  return {
    requestId: note.id,
    method: request.method,
    path: (query < 0 ? url : url.slice(0, query)).slice(0, 1024), // a query may hold what is secret
    status: ended.status,
    ms: Math.round(ended.seconds * 10_000) / 10,
    received: ended.received,
    sent: ended.sent,
    ...(ended.whole ? {} : { cut: true }),
    ...(note.error instanceof LazaretError ? { code: note.error.code } : {}),
    principal: note.principal === undefined ? undefined : principalId(note.principal),
    address: note.address,
    traceId: spanOf(request)?.context.traceId,
  }
}
