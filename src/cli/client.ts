import { LazaretError } from '../kit/errors.ts'
import type { Settings } from '../kit/settings/settings.ts'
import { keptLogin, type Login } from './login-store.ts'

/** Asks a server's API in the name of whoever is signed in. */
export interface Client {
  readonly server: string
  /** In: a path under /api/v1, and its query; undefined values are left out. Out: the JSON answer. Throws the server's problem. */
  get<T>(path: string, query?: Record<string, string | number | undefined>): Promise<T>
  send<T>(method: 'POST' | 'PUT' | 'DELETE', path: string, body?: unknown): Promise<T>
}

const mostAnswerBytes = 256 * 1024 * 1024

/**
 * In: the settings, and the environment for what `lazaret login` kept. Out: the client, or undefined where no server is
 * named: neither by LAZARET_SERVER nor by a login.
 */
export async function connect(settings: Settings, env: Readonly<Record<string, string | undefined>>): Promise<Client | undefined> {
  const kept = await keptLogin(settings.server, env)
  const server = settings.server ?? kept?.server
  if (server === undefined) return undefined
  return clientFor(server, authorizationOf(settings, kept))
}

export async function requireClient(settings: Settings, env: Readonly<Record<string, string | undefined>>): Promise<Client> {
  const client = await connect(settings, env)
  if (client === undefined) throw new LazaretError('USAGE', 'no server is named: set LAZARET_SERVER, or use lazaret login')
  return client
}

export function clientFor(server: string, authorization: string | undefined): Client {
  async function ask<T>(method: string, url: URL, body?: unknown): Promise<T> {
    const headers = {
      accept: 'application/json',
      ...(authorization === undefined ? {} : { authorization }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    }
    const response = await reach(url, { method, headers, redirect: 'error', ...(body === undefined ? {} : { body: JSON.stringify(body) }) })
    return answerOf<T>(response)
  }
  const urlOf = (path: string) => new URL(`/api/v1${path}`, server)
  return {
    server,
    get(path, query = {}) {
      const url = urlOf(path)
      for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, String(value))
      return ask('GET', url)
    },
    send: (method, path, body) => ask(method, urlOf(path), body),
  }
}

export function basic(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
}

function authorizationOf(settings: Settings, kept: Login | undefined): string | undefined {
  if (settings.token !== undefined && settings.username !== undefined) return basic(settings.username, settings.token)
  if (settings.token !== undefined) return `Bearer ${settings.token}`
  if (settings.username !== undefined && settings.password !== undefined) return basic(settings.username, settings.password)
  return kept === undefined ? undefined : basic(kept.username, kept.password)
}

async function reach(url: URL, options: RequestInit): Promise<Response> {
  try {
    return await fetch(url, options)
  } catch (cause) {
    const inner = (cause as { cause?: { code?: string } }).cause?.code
    throw new LazaretError('UNAVAILABLE', `${url.origin} does not answer${inner === undefined ? '' : ` (${inner})`}`, { cause })
  }
}

async function answerOf<T>(response: Response): Promise<T> {
  const text = await bounded(response)
  if (response.ok) return (text === '' ? undefined : JSON.parse(text)) as T
  const problem = problemOf(text)
  throw new LazaretError(problem?.code ?? 'UNAVAILABLE', problem?.detail ?? `the server answered ${response.status}`, { status: response.status })
}

async function bounded(response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response.body ?? []) {
    size += chunk.length
    if (size > mostAnswerBytes) throw new LazaretError('LIMIT_EXCEEDED', `the answer is larger than ${mostAnswerBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function problemOf(text: string): { code: LazaretError['code']; detail: string } | undefined {
  try {
    const problem = JSON.parse(text) as { code?: unknown; detail?: unknown } | null
    if (typeof problem?.code !== 'string' || typeof problem.detail !== 'string') return undefined
    return { code: problem.code as LazaretError['code'], detail: problem.detail }
  } catch (error) {
    if (error instanceof SyntaxError) return undefined // a proxy's page, say
    throw error
  }
}
