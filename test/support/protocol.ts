// A small client of the OCI distribution-spec that does exactly what it is told, and checks every digest.

import type { Content } from './content.ts'
import { acceptAll, expectStatus, pullScope, pushContent, readContent } from './transfer.ts'

export interface Credentials {
  username: string
  password: string
}

export interface Answer {
  status: number
  /** HTTP/1.1 reason phrase. */
  reason: string
  headers: Headers
  body: Buffer
}

export interface Ask {
  method?: string
  headers?: Record<string, string>
  body?: Uint8Array | string
  /** For the token where the registry asks for one: `repository:NAME:pull,push`. */
  scope?: string
}

export interface Protocol {
  /** One request. Answers a 401 as the registry wants: by a token of the given scope, else Basic. */
  ask: (path: string, options?: Ask) => Promise<Answer>
  /** The same with Basic and never a token. */
  askBasic: (path: string, options?: Ask) => Promise<Answer>
  /** A token for a scope, by the `WWW-Authenticate` of /v2/. */
  token: (scope?: string) => Promise<string>
  manifest: (repository: string, reference: string, scope?: string) => Promise<Answer>
  tags: (repository: string) => Promise<string[]>
  /** A manifest and all below it, each byte held against its digest. */
  read: (repository: string, reference: string) => Promise<Content>
  /** Pushes all of a content, the root by tag where one is given. */
  push: (repository: string, content: Content, tag?: string) => Promise<Answer>
  remove: (repository: string, reference: string) => Promise<Answer>
}

/** In: `HOST:PORT`, or the URL of a registry by TLS, and who asks; nobody where left out. */
export function protocolOf(host: string, credentials?: Credentials): Protocol {
  const base = host.includes('://') ? host : `http://${host}`
  const basic = basicOf(credentials)
  const send = (path: string, options: Ask, authorization?: string) => exchange(base, path, options, authorization)
  const tokenBy = async (challenge: string, scope: string | undefined): Promise<string> => {
    const url = new URL(parameterOf(challenge, 'realm') ?? '')
    url.searchParams.set('service', parameterOf(challenge, 'service') ?? '')
    if (scope !== undefined) url.searchParams.set('scope', scope)
    return tokenIn(await send(url.href, {}, basic))
  }
  const ask = async (path: string, options: Ask = {}): Promise<Answer> => {
    const first = await send(path, options)
    const challenge = first.headers.get('www-authenticate')
    if (first.status !== 401 || challenge === null) return first
    if (!/^bearer /i.test(challenge)) return send(path, options, basic)
    return send(path, options, `Bearer ${await tokenBy(challenge, options.scope)}`)
  }
  const token = async (scope?: string) => tokenBy((await send('/v2/', {})).headers.get('www-authenticate') ?? '', scope)
  const askBasic = (path: string, options: Ask = {}) => send(path, options, basic)
  return { ask, askBasic, token, ...operationsOf(ask) }
}

/** In: where a path starts from, or a whole URL as the path; what is asked; the `Authorization` header, well formed or not. */
export async function exchange(base: string, path: string, options: Ask, authorization?: string): Promise<Answer> {
  const headers = { ...(authorization === undefined ? {} : { authorization }), ...options.headers }
  const body = options.body === undefined ? {} : { body: options.body as string | Uint8Array<ArrayBuffer> }
  const response = await fetch(path.startsWith('http') ? path : base + path, {
    method: options.method ?? 'GET',
    headers,
    redirect: 'manual',
    signal: AbortSignal.timeout(60_000),
    ...body,
  })
  return {
    status: response.status,
    reason: response.statusText,
    headers: response.headers,
    body: Buffer.from(await response.arrayBuffer()),
  }
}

export function basicOf(credentials: Credentials | undefined): string | undefined {
  if (credentials === undefined) return undefined
  return `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64')}`
}

/** In: what a token service answered. Out: the token. */
export function tokenIn(answer: Answer): string {
  const text = answer.body.toString('utf8')
  if (answer.status !== 200) throw new Error(`token: ${answer.status} ${text.slice(0, 500)}`)
  const { token } = JSON.parse(text) as { token?: string }
  if (token === undefined) throw new Error('the token service sent no token')
  return token
}

function operationsOf(ask: Protocol['ask']): Omit<Protocol, 'ask' | 'askBasic' | 'token'> {
  return {
    manifest: (repository, reference, scope = pullScope(repository)) =>
      ask(`/v2/${repository}/manifests/${reference}`, { headers: { accept: acceptAll }, scope }),
    tags: async (repository) => {
      const { body } = expectStatus(await ask(`/v2/${repository}/tags/list`, { scope: pullScope(repository) }), 200)
      return (JSON.parse(body.toString('utf8')) as { tags: string[] | null }).tags ?? []
    },
    read: (repository, reference) => readContent(ask, repository, reference),
    push: (repository, content, tag) => pushContent(ask, repository, content, tag),
    remove: (repository, reference) =>
      ask(`/v2/${repository}/manifests/${reference}`, { method: 'DELETE', scope: `repository:${repository}:pull,delete` }),
  }
}

function parameterOf(challenge: string, name: string): string | undefined {
  return new RegExp(`${name}="([^"]*)"`, 'i').exec(challenge)?.[1]
}
