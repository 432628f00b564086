import { LazaretError, type ErrorCode, errorCodes } from '../kit/errors.ts'
import { createOutgoing } from '../kit/outgoing/outgoing.ts'
import { loadSettings, type Settings } from '../kit/settings/settings.ts'
import type { Io } from './command.ts'
import { keptLogin, keptServer, type Login } from './login-store.ts'
import { httpExchange } from './remote.ts'

/** Asks the API: of a server in the name of whoever is signed in, or of the data folder, opened by this process. */
export interface Client extends AsyncDisposable {
  /** Its URL; of a data folder, that under which it would be served. */
  readonly server: string
  /** In: a path under /api/v1, and its query; undefined values are left out. Out: the JSON answer. Throws the server's problem. */
  get<T>(path: string, query?: Query): Promise<T>
  send<T>(method: 'POST' | 'PUT' | 'DELETE', path: string, what: { query?: Query; body?: unknown }): Promise<T>
  /** Sends a file. */
  upload<T>(path: string, query: Query, bytes: AsyncIterable<Uint8Array>): Promise<T>
}

export type Query = Readonly<Record<string, string | number | readonly string[] | undefined>>

/** One request and its answer, wherever it goes. In: the path and query from the root. */
export type Exchange = (request: {
  method: string
  path: string
  body?: unknown
  bytes?: AsyncIterable<Uint8Array>
}) => Promise<{ status: number; text: string }>

/**
 * In: the environment, and the command that asks. Out: a client of the server that LAZARET_SERVER names or `lazaret login` was
 * used for; without one, the data folder is opened. Throws CONFLICT where a running server holds that, naming its address.
 */
export async function openClient(io: Io, command: string): Promise<Client> {
  const settings = loadSettings({ env: io.env, cwd: io.cwd, listens: false })
  const named = await namedServer(settings, io)
  if (named !== undefined) {
    const outgoing = createOutgoing(settings, io.env)
    return clientOver(named.server, httpExchange(named.server, authorizationOf(settings, named.login), outgoing))
  }
  return (await import('./local.ts')).openLocal(settings, io, command)
}

/** Out: the server that commands are meant for, undefined where none is named. */
export async function namedServer(
  settings: Settings,
  io: Pick<Io, 'env'>,
): Promise<{ server: string; login: Login | undefined } | undefined> {
  const server = settings.server ?? (await keptServer(io.env))
  return server === undefined ? undefined : { server, login: await keptLogin(server, io.env) }
}

export function clientOver(server: string, exchange: Exchange, close: () => Promise<void> = async () => undefined): Client {
  return {
    server,
    get: async (path, query = {}) => answerOf(await exchange({ method: 'GET', path: pathOf(path, query) })),
    send: async (method, path, { query = {}, body }) =>
      answerOf(await exchange({ method, path: pathOf(path, query), ...(body === undefined ? {} : { body }) })),
    upload: async (path, query, bytes) => answerOf(await exchange({ method: 'POST', path: pathOf(path, query), bytes })),
    [Symbol.asyncDispose]: close,
  }
}

export function basic(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
}

export function authorizationOf(settings: Settings, login: Login | undefined): string | undefined {
  if (settings.token !== undefined && settings.username !== undefined) return basic(settings.username, settings.token)
  if (settings.token !== undefined) return `Bearer ${settings.token}`
  if (settings.username !== undefined && settings.password !== undefined) return basic(settings.username, settings.password)
  return login === undefined ? undefined : basic(login.username, login.password)
}

function pathOf(path: string, query: Query): string {
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    for (const one of Array.isArray(value) ? (value as readonly string[]) : [value as string | number | undefined])
      if (one !== undefined) parameters.append(name, String(one))
  }
  return `/api/v1${path}${parameters.size > 0 ? `?${parameters}` : ''}`
}

function answerOf<T>({ status, text }: { status: number; text: string }): T {
  if (status >= 200 && status < 300) return (text === '' ? undefined : parsed(text)) as T
  const problem = problemOf(text)
  throw new LazaretError(problem?.code ?? 'UNAVAILABLE', problem?.detail ?? `the server answered ${status}, not as Lazaret does`, {
    status,
  })
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new LazaretError('UNAVAILABLE', 'the server did not answer in JSON, as Lazaret does', { cause })
  }
}

export function problemOf(text: string): { code: ErrorCode; detail: string } | undefined {
  try {
    const problem = JSON.parse(text) as { code?: unknown; detail?: unknown } | null
    if (typeof problem?.code !== 'string' || typeof problem.detail !== 'string') return undefined
    return {
      code: Object.hasOwn(errorCodes, problem.code) ? (problem.code as ErrorCode) : 'UNAVAILABLE',
      detail: problem.detail.slice(0, 2000),
    }
  } catch (error) {
    if (error instanceof SyntaxError) return undefined // a proxy's page, say
    throw error
  }
}
