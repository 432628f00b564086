import type { IncomingMessage, ServerResponse } from 'node:http'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { LazaretError, messageOf } from '../../kit/errors.ts'
import type { Answer, OciRequest } from '../../kit/http.ts'
import type { House } from '../../flow/house.ts'
import { parseDigest } from '../../model/digest.ts'
import { errorAnswer } from './errors.ts'
import { requireRights, scopeFor } from './rights.ts'
import { routeOf, type Resource, type Route } from './route.ts'
import { send } from './send.ts'

type Handler = (request: OciRequest) => Promise<Answer>

/** The OCI distribution API under /v2. One handler for all its paths: names have any depth, which no router can express. */
export function ociRoutes(house: House): (app: FastifyInstance) => Promise<void> {
  const handlers = handlersOf(house)
  return async (app) => {
    app.removeAllContentTypeParsers()
    app.addContentTypeParser('*', (_request, _payload, done) => done(null)) // bodies are read as streams by the handlers
    for (const url of ['/v2', '/v2/*']) {
      app.route({
        method: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
        url,
        exposeHeadRoute: false,
        schema: { hide: true } as object,
        handler: (request, reply) => answer(house, handlers, request, reply),
      })
    }
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

async function answer(house: House, handlers: Record<Resource, Partial<Record<string, Handler>>>, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  reply.hijack()
  const method = request.method
  const url = new URL(request.raw.url ?? '/', 'http://registry')
  try {
    await send(reply.raw, await decide(house, handlers, request, reply.raw, method, url), method !== 'HEAD')
  } catch (error) {
    await fail(house, request, reply.raw, error, method, url)
  }
}

async function decide(
  house: House,
  handlers: Record<Resource, Partial<Record<string, Handler>>>,
  request: FastifyRequest,
  response: ServerResponse,
  method: string,
  url: URL,
): Promise<Answer> {
  const route = routeOf(rawPath(request.raw))
  const principal = await house.signIn.authenticate(request.headers.authorization, request.ip)
  requireRights(principal, method, route)
  const handler = handlers[route.resource][method]
  if (handler === undefined) throw new LazaretError('UNSUPPORTED', `${method} is not supported here`)
  return handler({
    principal,
    address: request.ip,
    repository: route.repository,
    reference: route.reference,
    query: url.searchParams,
    headers: request.headers,
    body: request.raw,
    signal: hangUp(response),
  })
}

async function fail(house: House, request: FastifyRequest, response: ServerResponse, error: unknown, method: string, url: URL): Promise<void> {
  if (!(error instanceof LazaretError) || error.code === 'INTERNAL') {
    const gone = response.closed
    house.log[gone ? 'debug' : 'error']({ method, path: url.pathname, problem: messageOf(error), err: error }, gone ? 'client went away' : 'request failed')
  }
  if (response.headersSent) {
    response.destroy()
    return
  }
  const answered = errorAnswer(error)
  if (answered.status === 401) answered.headers['www-authenticate'] = challengeFor(house, request, method)
  if (!request.raw.complete && answered.status >= 400) answered.headers['connection'] = 'close'
  await send(response, answered, method !== 'HEAD')
}

function challengeFor(house: House, request: FastifyRequest, method: string): string {
  let route: Route | undefined
  try {
    route = routeOf(rawPath(request.raw))
  } catch (error) {
    if (!(error instanceof LazaretError)) throw error
  }
  return house.challenge(request.headers.host, route === undefined ? undefined : scopeFor(method, route))
}

/** As sent: normalising it here would let one path be checked and another be served. */
function rawPath(message: IncomingMessage): string {
  const url = message.url ?? '/'
  const end = url.search(/[?#]/)
  return end < 0 ? url : url.slice(0, end)
}

function hangUp(response: ServerResponse): AbortSignal {
  const controller = new AbortController()
  response.once('close', () => {
    if (!response.writableFinished) controller.abort()
  })
  return controller.signal
}
