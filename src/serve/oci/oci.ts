import type { IncomingMessage, ServerResponse } from 'node:http'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { LazaretError, messageOf } from '../../kit/errors.ts'
import type { Answer, OciRequest } from '../../kit/http.ts'
import type { House } from '../../flow/house.ts'
import { parseDigest } from '../../model/digest.ts'
import { addressOf, askedName } from '../forwarded.ts'
import { noteError, notePrincipal } from '../request-note.ts'
import { errorAnswer } from './errors.ts'
import { lingering } from './lingering.ts'
import { requireRights, scopeFor } from './rights.ts'
import { routeOf, type Resource, type Route } from './route.ts'
import { endWhenIdle, send } from './send.ts'

type Handler = (request: OciRequest) => Promise<Answer>

/** The OCI distribution API under /v2. One handler for all its paths: names have any depth, which no router can express. */
export function ociRoutes(house: House): (app: FastifyInstance) => Promise<void> {
  const handlers = handlersOf(house)
  return async (app) => {
    const handler = (request: FastifyRequest, reply: FastifyReply) => answer(house, handlers, request, reply)
    await app.register(
      v2Routes(handler, (error, request, reply) => refuse(house, error, request, reply)),
      { prefix: '/v2' },
    )
  }
}

type OnRequest = (request: FastifyRequest, reply: FastifyReply) => Promise<void>
type OnError = (error: unknown, request: FastifyRequest, reply: FastifyReply) => Promise<void>

function v2Routes(handler: OnRequest, onError: OnError): (app: FastifyInstance) => Promise<void> {
  return async (app) => {
    app.setErrorHandler(onError)
    app.removeAllContentTypeParsers()
    app.addContentTypeParser('*', (_request, _payload, done) => done(null)) // bodies are read as streams by the handlers
    app.route({
      method: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
      url: '/*',
      exposeHeadRoute: false,
      schema: { hide: true } as object,
      handler,
    })
    app.setNotFoundHandler(handler) // `/v2` alone, and methods that HTTP has and OCI has not: refused in OCI's form too
  }
}

function handlersOf({ gate, lists, push }: House): Record<Resource, Partial<Record<string, Handler>>> {
  return {
    ping: { GET: ping, HEAD: ping },
    catalog: { GET: lists.catalog },
    uploads: { POST: push.blobs.start, GET: push.blobs.status, PATCH: push.blobs.patch, PUT: push.blobs.finish, DELETE: push.blobs.cancel },
    blobs: { GET: gate.getBlob, HEAD: gate.headBlob, DELETE: push.blobs.remove },
    manifests: { GET: gate.getManifest, HEAD: gate.headManifest, PUT: warning(gate, push.manifests.put), DELETE: push.manifests.remove },
    tags: { GET: lists.tags },
    referrers: { GET: lists.referrers },
  }
}

/** A push of what has warnings already is told of them: clients print the header. */
function warning(gate: House['gate'], put: Handler): Handler {
  return async (request) => {
    const answer = await put(request)
    const digest = parseDigest(answer.headers['docker-content-digest'])
    const text = digest === undefined ? undefined : await gate.warningOn(request.repository, digest)
    return text === undefined ? answer : { ...answer, headers: { ...answer.headers, warning: text } }
  }
}

async function ping(): Promise<Answer> {
  return { status: 200, headers: { 'content-type': 'application/json', 'content-length': '2' }, body: '{}' }
}

async function answer(
  house: House,
  handlers: Record<Resource, Partial<Record<string, Handler>>>,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  reply.hijack()
  const method = request.method
  endWhenIdle(request.raw)
  try {
    await send(reply.raw, await decide(house, handlers, request, reply.raw, method), method !== 'HEAD')
  } catch (error) {
    await fail(house, request, reply.raw, error, method)
  }
}

/** What Fastify refuses before a handler is asked: a method that needs a body's type, a type that is none. */
async function refuse(house: House, error: unknown, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  reply.hijack()
  const { statusCode = 500 } = error as { statusCode?: number }
  const known = statusCode < 500 ? new LazaretError('INPUT_INVALID', messageOf(error), { status: statusCode, cause: error }) : error
  await fail(house, request, reply.raw, known, request.method)
}

async function decide(
  house: House,
  handlers: Record<Resource, Partial<Record<string, Handler>>>,
  request: FastifyRequest,
  response: ServerResponse,
  method: string,
): Promise<Answer> {
  const route = routeOf(rawPath(request.raw))
  const principal = await house.signIn.authenticate(request.headers.authorization, addressOf(request.raw))
  notePrincipal(request.raw, principal, route.resource)
  requireRights(principal, method, route)
  const handler = handlers[route.resource][method]
  if (handler === undefined) throw unsupported(method, Object.keys(handlers[route.resource]))
  return handler({
    principal,
    address: addressOf(request.raw),
    repository: route.repository,
    reference: route.reference,
    query: queryOf(request.raw),
    headers: request.headers,
    body: request.raw,
    signal: hangUp(response),
  })
}

async function fail(house: House, request: FastifyRequest, response: ServerResponse, error: unknown, method: string): Promise<void> {
  noteError(request.raw, error)
  if (!(error instanceof LazaretError) || error.code === 'INTERNAL') {
    const gone = response.closed
    house.log[gone ? 'debug' : 'error'](
      { requestId: request.id, method, path: rawPath(request.raw), problem: messageOf(error), err: error },
      gone ? 'client went away' : 'request failed',
    )
  }
  if (response.headersSent) {
    response.destroy()
    return
  }
  const answered = errorAnswer(error)
  if (answered.status === 401) answered.headers['www-authenticate'] = challengeFor(house, request, method)
  if (request.raw.complete) return send(response, answered, method !== 'HEAD')
  answered.headers['connection'] = 'close'
  await send(response, { ...answered, body: lingering(answered.body, request.raw) }, method !== 'HEAD')
}

function challengeFor(house: House, request: FastifyRequest, method: string): string {
  let route: Route | undefined
  try {
    route = routeOf(rawPath(request.raw))
  } catch (error) {
    if (!(error instanceof LazaretError)) throw error
  }
  return house.challenge(askedName(request.raw), route === undefined ? undefined : scopeFor(method, route))
}

/** As sent: normalising it here would let one path be checked and another be served. */
function rawPath(message: IncomingMessage): string {
  const url = message.url ?? '/'
  const end = url.search(/[?#]/)
  return end < 0 ? url : url.slice(0, end)
}

function queryOf(message: IncomingMessage): URLSearchParams {
  const url = (message.url ?? '').split('#', 1)[0] ?? ''
  const start = url.indexOf('?')
  return new URLSearchParams(start < 0 ? '' : url.slice(start + 1))
}

/** RFC 9110 §15.5.6: a 405 says what would do. */
function unsupported(method: string, allowed: string[]): LazaretError {
  return new LazaretError('UNSUPPORTED', `${method} is not supported here`, { headers: { allow: allowed.join(', ') } })
}

function hangUp(response: ServerResponse): AbortSignal {
  const controller = new AbortController()
  response.once('close', () => {
    if (!response.writableFinished) controller.abort()
  })
  return controller.signal
}
