import { LazaretError } from '../kit/errors.ts'
import type { Outgoing, OutgoingRequest } from '../kit/outgoing/outgoing.ts'
import { traceHeaders, traced } from '../kit/tracing/span.ts'
import { basicHeader, bearerHeader, isTrustedRealm, parseChallenge, type Credentials } from './authorization.ts'
import type { RemoteReference } from './reference.ts'

/** Reads one repository of another registry. Every answer is open: who asks reads it, or cancels its body. */
export interface RegistryClient {
  get(path: string, headers?: Record<string, string>): Promise<Response>
}

export interface RegistryWriter extends RegistryClient {
  /** In: a path, or the Location of an answer on the same host. The body may be asked for again, after a sign-in. No redirect is followed. */
  send(method: 'POST' | 'PUT', path: string, what?: { headers?: Record<string, string>; body?: () => Body }): Promise<Response>
}

type Body = NonNullable<OutgoingRequest['body']>

const mostRedirects = 5
const mostTokenBytes = 64 * 1024
const answerMs = 30_000
const idleMs = 120_000
const mostSendMs = 3_600_000

/**
 * In: the reference, credentials where there are some, the way out. Signs in when asked to, once, and follows redirects without
 * credentials. Errors: UNAVAILABLE, UNAUTHORIZED, NOT_FOUND, DENIED where an answer leads into a private network.
 */
export function registryClient(reference: RemoteReference, credentials: Credentials | undefined, outgoing: Outgoing): RegistryWriter {
  let authorization: string | undefined

  async function signIn(challenged: Response): Promise<string> {
    await challenged.body?.cancel()
    const challenge = parseChallenge(challenged.headers.get('www-authenticate'))
    if (challenge === undefined) throw new LazaretError('UNAUTHORIZED', `${reference.registry} asks for a sign-in that is not known`)
    if (challenge.scheme === 'basic') {
      if (credentials === undefined)
        throw new LazaretError('UNAUTHORIZED', `${reference.registry} wants a sign-in: docker login ${reference.registry}`)
      return basicHeader(credentials)
    }
    return token(challenged, challenge.realm, challenge.service, challenge.scope)
  }

  async function token(challenged: Response, realm: URL, service: string | undefined, scope: string | undefined): Promise<string> {
    if (service !== undefined) realm.searchParams.set('service', service)
    realm.searchParams.set('scope', scope ?? `repository:${reference.repository}:pull`)
    const trusted = isTrustedRealm(realm, reference.origin)
    if (credentials !== undefined && !trusted) {
      throw new LazaretError('UNAUTHORIZED', `${reference.registry} wants its credentials sent to ${realm.host}, which is not its own`)
    }
    const answer = await reach(outgoing, realm, credentials === undefined ? {} : { authorization: basicHeader(credentials) }, challenged)
    if (!answer.ok) throw new LazaretError('UNAUTHORIZED', `${realm.host} gave no token (${answer.status})`)
    return bearerHeader(jsonObject(await boundedText(answer, mostTokenBytes), 'the token answer'))
  }

  async function ask(url: URL, headers: Record<string, string>): Promise<Response> {
    let at = url
    let from: Response | undefined
    for (let hop = 0; hop <= mostRedirects; hop++) {
      const own = at.origin === reference.origin && authorization !== undefined ? { authorization } : {}
      const answer = await reach(outgoing, at, { ...headers, ...own }, from)
      const location = answer.headers.get('location')
      if (![301, 302, 303, 307, 308].includes(answer.status) || location === null) return answer
      await answer.body?.cancel()
      if (!URL.canParse(location, at)) throw new LazaretError('UNAVAILABLE', `${at.host} redirects to what is no URL`)
      const next = new URL(location, at)
      if (at.protocol === 'https:' && next.protocol !== 'https:')
        throw new LazaretError('UNAVAILABLE', `${at.host} redirects to ${next.protocol}//`)
      at = next
      from = answer
    }
    throw new LazaretError('UNAVAILABLE', `${url.host} redirects more than ${mostRedirects} times`)
  }

  return {
    async get(path, headers = {}) {
      const url = new URL(path, reference.origin)
      let answer = await ask(url, headers)
      if (answer.status === 401 && authorization === undefined) {
        authorization = await signIn(answer)
        answer = await ask(url, headers)
      }
      if (answer.ok) return answer
      throw refusal(reference, answer.status, await boundedText(answer, mostTokenBytes))
    },
    async send(method, path, { headers = {}, body } = {}) {
      const url = onSameHost(path, reference)
      const once = () =>
        reach(outgoing, url, { ...headers, ...(authorization !== undefined && { authorization }) }, undefined, {
          method,
          ...(body !== undefined && { body: body() }),
        })
      let answer = await once()
      if (answer.status === 401) {
        authorization = await signIn(answer) // a token may have run out while a blob was on its way
        answer = await once()
      }
      if (answer.ok) return answer
      throw refusal(reference, answer.status, await boundedText(answer, mostTokenBytes))
    },
  }
}

/** Behind a proxy that does TLS some registries name themselves by http: only path and query of what they say count. */
function onSameHost(path: string, { origin, registry }: RemoteReference): URL {
  const url = URL.canParse(path, origin) ? new URL(path, origin) : undefined
  if (url?.host !== new URL(origin).host) throw new LazaretError('UNAVAILABLE', `${registry} wants an upload sent to another host`)
  return new URL(`${url.pathname}${url.search}`, origin)
}

/** In: the answer that led there, where one did. */
function reach(
  outgoing: Outgoing,
  url: URL,
  headers: Record<string, string>,
  ledBy: Response | undefined,
  sent: { method: string; body?: Body } = { method: 'GET' },
): Promise<Response> {
  const led = ledBy === undefined ? {} : { ledBy }
  // Until a blob has been sent there is no answer, however long that takes.
  const wait = sent.body === undefined ? { answerMs } : { answerMs: mostSendMs }
  return traced(
    sent.method,
    () => outgoing.fetch(url, { ...sent, headers: { ...headers, ...traceHeaders() }, ...wait, idleMs, ...led }),
    { 'http.request.method': sent.method, 'server.address': url.hostname, 'url.path': url.pathname },
    'client',
  )
}

/** Out: the bytes as they come; none where there is no body. */
export function bodyOf(answer: Response): AsyncIterable<Uint8Array> {
  return answer.body ?? new Blob([]).stream()
}

/** In: an answer's body, and the most bytes that it may have. Errors: LIMIT_EXCEEDED. */
export async function boundedBytes(answer: Response, most: number): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of bodyOf(answer)) {
    size += chunk.length
    if (size > most) throw new LazaretError('LIMIT_EXCEEDED', `the answer has more than ${most} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** In: JSON from elsewhere. Errors: UNREADABLE where it is not an object. */
export function jsonObject(text: string, what: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new LazaretError('UNREADABLE', `${what} is not JSON`, { cause })
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new LazaretError('UNREADABLE', `${what} is not an object`)
  return value as Record<string, unknown>
}

async function boundedText(answer: Response, most: number): Promise<string> {
  return (await boundedBytes(answer, most)).toString('utf8')
}

function refusal(reference: RemoteReference, status: number, body: string): LazaretError {
  const name = `${reference.registry}/${reference.repository}`
  const words = messageIn(body)
  if (status === 404) return new LazaretError('NOT_FOUND', `${name} is not there${words}`)
  if (status === 401 || status === 403) return new LazaretError('UNAUTHORIZED', `${name} is refused${words}`)
  return new LazaretError('UNAVAILABLE', `${reference.registry} answered ${status}${words}`)
}

function messageIn(body: string): string {
  try {
    const message = (JSON.parse(body) as { errors?: { message?: unknown }[] } | null)?.errors?.[0]?.message
    return typeof message === 'string' ? `: ${message.slice(0, 300)}` : ''
  } catch (error) {
    if (error instanceof SyntaxError) return ''
    throw error
  }
}
