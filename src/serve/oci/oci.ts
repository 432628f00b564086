import type { IncomingMessage, ServerResponse } from 'node:http'
import { LazaretError, messageOf } from '../../kit/errors.ts'
import type { Answer, OciRequest } from '../../kit/http.ts'
import type { House } from '../../flow/house.ts'
import { parseDigest } from '../../model/digest.ts'
import { addressOf, askedName } from '../forwarded.ts'
import { noteError, noteOf, notePrincipal } from '../request-note.ts'
import { errorAnswer } from './errors.ts'
import { lingering } from '../lingering.ts'
import { requireRights, scopeFor } from './rights.ts'
import { routeOf, type Resource, type Route } from './route.ts'
import { endWhenIdle, send } from './send.ts'

type Handler = (request: OciRequest) => Promise<Answer>
type Handlers = Record<Resource, Partial<Record<string, Handler>>>

/** Answers a request to its end; every error has its answer. */
export type Listener = (request: IncomingMessage, response: ServerResponse) => void

/**
 * The OCI distribution API under /v2. One listener for all its paths: names have any depth, which no router can express, and clients
 * pull all day: what a router and its hooks cost is a third of such a request.
 */
export function createOci(house: House): Listener {
  const handlers = handlersOf(house)
  return (request, response) => void answer(house, handlers, request, response)
}

/** Of these paths nothing else has any. */
export function isOciPath(url: string): boolean {
  return url.startsWith('/v2') && (url.length === 3 || url[3] === '/' || url[3] === '?' || url[3] === '#')
}

function handlersOf({ gate, lists, push }: House): Handlers {
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

async function answer(house: House, handlers: Handlers, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const withBody = request.method !== 'HEAD'
  endWhenIdle(request)
  try {
    await send(response, await decide(house, handlers, request, response), withBody)
  } catch (error) {
    await fail(house, request, response, error).catch((problem: unknown) => {
      house.log.error({ requestId: noteOf(request)?.id, problem: messageOf(problem), err: problem }, 'a failure was not answered')
      response.destroy()
    })
  }
}

async function decide(house: House, handlers: Handlers, request: IncomingMessage, response: ServerResponse): Promise<Answer> {
  const { method = '', headers } = request
  const route = routeOf(rawPath(request))
  const address = addressOf(request)
  const principal = await house.signIn.authenticate(headers.authorization, address)
  notePrincipal(request, principal, route.resource)
  requireRights(principal, method, route)
  const handler = handlers[route.resource][method]
  if (handler === undefined) throw unsupported(method, Object.keys(handlers[route.resource]))
  const { repository, reference } = route
  let signal: AbortSignal | undefined
  return handler({
    principal,
    address,
    repository,
    reference,
    query: queryOf(request),
    headers,
    body: request,
    get signal() {
      return (signal ??= hangUp(response)) // few ask for it
    },
  })
}

async function fail(house: House, request: IncomingMessage, response: ServerResponse, error: unknown): Promise<void> {
  const { method = '' } = request
  noteError(request, error)
  if (!(error instanceof LazaretError) || error.code === 'INTERNAL') {
    const gone = response.closed
    house.log[gone ? 'debug' : 'error'](
      { requestId: noteOf(request)?.id, method, path: rawPath(request), problem: messageOf(error), err: error },
      gone ? 'client went away' : 'request failed',
    )
  }
  if (response.headersSent) {
    response.destroy()
    return
  }
  const answered = errorAnswer(error)
  if (answered.status === 401) answered.headers['www-authenticate'] = challengeFor(house, request, method)
  if (request.complete) return send(response, answered, method !== 'HEAD')
  answered.headers['connection'] = 'close'
  await send(response, { ...answered, body: lingering(answered.body, request) }, method !== 'HEAD')
}

function challengeFor(house: House, request: IncomingMessage, method: string): string {
  let route: Route | undefined
  try {
    route = routeOf(rawPath(request))
  } catch (error) {
    if (!(error instanceof LazaretError)) throw error
  }
  return house.challenge(askedName(request), route === undefined ? undefined : scopeFor(method, route))
}

/** As sent: normalising it here would let one path be checked and another be served. */
function rawPath(message: IncomingMessage): string {
  const url = message.url ?? '/'
  const end = url.search(/[?#]/)
  return end < 0 ? url : url.slice(0, end)
}

const noQuery = new URLSearchParams()

function queryOf(message: IncomingMessage): URLSearchParams {
  const url = message.url ?? ''
  if (!url.includes('?')) return noQuery
  const beforeHash = url.split('#', 1)[0] ?? ''
  const start = beforeHash.indexOf('?')
  return start < 0 ? noQuery : new URLSearchParams(beforeHash.slice(start + 1))
}

/** RFC 9110 §15.5.6: a 405 says what would do. */
function unsupported(method: string, allowed: string[]): LazaretError {
  return new LazaretError('UNSUPPORTED', `${method} is not supported here`, { headers: { allow: allowed.join(', ') } })
}

function hangUp(response: ServerResponse): AbortSignal {
  const controller = new AbortController()
  const onClose = () => {
    if (!response.writableFinished) controller.abort()
  }
  if (response.closed) onClose()
  else response.once('close', onClose)
  return controller.signal
}
