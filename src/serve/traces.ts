import type { IncomingMessage, ServerResponse } from 'node:http'
import type { TLSSocket } from 'node:tls'
import type { FastifyInstance } from 'fastify'
import type { Counter, Metrics } from '../kit/metrics.ts'
import { parseTraceparent } from '../kit/tracing/context.ts'
import type { DropReason } from '../kit/tracing/exporter.ts'
import { errorTypeOf, type Span, within } from '../kit/tracing/span.ts'
import type { Tracing } from '../kit/tracing/tracing.ts'
import { noteOf } from './request-note.ts'
import { keepSpan, spanOf } from './request-span.ts'
import { routeClassOf } from './requests.ts'

/** OpenTelemetry semantic conventions, "HTTP": the methods that are named; another is `_OTHER`. */
const methods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'CONNECT', 'TRACE'])
/** Asked by monitors every few seconds: their traces would be most of all. */
const untracedRoutes: ReadonlySet<string> = new Set(['health', 'metrics'])
const mostAgentCharacters = 256
const mostPathCharacters = 1024

/** In: a request that has its note, and what answers it. It is a span from its head to the last byte of its answer. */
export function traceRequest(tracing: Tracing, request: IncomingMessage, response: ServerResponse, answer: () => void): void {
  const span = begin(tracing, request)
  if (span === undefined) return answer()
  keepSpan(request, span)
  response.on('close', onClose)
  within(span, answer)
}

/** A body that was read ends in the connection's own context: what follows it goes on in that of the request. */
export function stayInSpan(app: FastifyInstance): void {
  app.addHook('preHandler', (request, _reply, done) => {
    const span = spanOf(request.raw)
    if (span === undefined) done()
    else within(span, done)
  })
}

function begin(tracing: Tracing, message: IncomingMessage): Span | undefined {
  const { method = '', url = '', headers, httpVersion } = message
  const route = routeClassOf(url)
  if (untracedRoutes.has(route)) return undefined
  const known = methods.has(method)
  const end = url.search(/[?#]/)
  return tracing.begin(`${known ? method : 'HTTP'} ${route}`, 'server', {
    parent: parseTraceparent(headers['traceparent'], headers['tracestate']),
    attributes: {
      'http.request.method': known ? method : '_OTHER',
      'http.request.method_original': known ? undefined : method.slice(0, 32),
      'http.route': route,
      'url.path': (end < 0 ? url : url.slice(0, end)).slice(0, mostPathCharacters), // a query may hold what is secret
      'url.scheme': (message.socket as TLSSocket).encrypted === true ? 'https' : 'http',
      'network.protocol.version': httpVersion,
      'client.address': noteOf(message)?.address,
      'user_agent.original': headers['user-agent']?.slice(0, mostAgentCharacters),
      'lazaret.request_id': noteOf(message)?.id,
    },
  })
}

function onClose(this: ServerResponse): void {
  const message = this.req as IncomingMessage
  const span = spanOf(message)
  if (span === undefined) return
  const error = noteOf(message)?.error
  if (error !== undefined) span.set({ 'error.type': errorTypeOf(error) })
  if (this.headersSent) span.set({ 'http.response.status_code': this.statusCode })
  if (!this.writableFinished) {
    if (error === undefined) span.set({ 'error.type': 'connection_closed' })
    span.fail(this.headersSent ? 'the connection ended before the answer did' : 'the connection ended before the answer began')
  } else if (this.statusCode >= 500) span.fail(`answered ${this.statusCode}`) // what a client did wrong is no failure of the server's
  span.end()
}

/** Out: brings the figures of traces up to date. */
export function traceFigures(tracing: Tracing, metrics: Metrics): () => void {
  const exported = metrics.counter({ name: 'lazaret_traces_exported', help: 'Spans that the collector took.' })
  const dropped = metrics.counter({
    name: 'lazaret_traces_dropped',
    help: 'Spans that were lost: queue (they came faster than they went), failed (the collector did not answer), refused (it did not want them).',
    labels: ['reason'],
  })
  const moved = new Map<string, number>()
  const upTo = (counter: Counter, total: number, ...labels: string[]) => {
    const key = labels.join()
    counter.of(...labels).add(total - (moved.get(key) ?? 0))
    moved.set(key, total)
  }
  return () => {
    const figures = tracing.figures()
    upTo(exported, figures.exported)
    for (const reason of Object.keys(figures.dropped) as DropReason[]) upTo(dropped, figures.dropped[reason], reason)
  }
}
