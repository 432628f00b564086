import { LazaretError, messageOf } from '../../kit/errors.ts'
import { retryAfterMs } from './back-off.ts'
import { FetchProblem } from './problem.ts'
import type { FetchTools } from './tools.ts'

export interface Asked {
  url: URL
  headers: Record<string, string>
  /** Hosts beside its own that an answer may lead to. */
  hosts: readonly string[]
}

const passingStatus: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504])

/**
 * One request, through redirects. Out: an answer with 200, 206, 304 or 416. Throws a FetchProblem for every other, for a redirect
 * that may not be followed, and for a network that fails.
 */
export async function ask({ url, headers, hosts }: Asked, tools: FetchTools, signal: AbortSignal): Promise<Response> {
  const { limits } = tools
  let at = url
  let ledBy: Response | undefined
  for (let hops = 0; hops <= limits.redirects; hops++) {
    const response = await sent(at, headers, ledBy, tools, signal)
    const next = await redirectOf(response, at, url, hosts)
    if (next === undefined) return await wanted(response, at, tools.now())
    at = next
    ledBy = response
  }
  throw new FetchProblem('UNAVAILABLE', `${shown(url)} leads on and on: more than ${limits.redirects} redirects`)
}

async function sent(url: URL, headers: Record<string, string>, ledBy: Response | undefined, tools: FetchTools, signal: AbortSignal) {
  const { connectMs, answerMs, idleMs } = tools.limits
  try {
    return await tools.outgoing.fetch(url, {
      headers: { ...headers, 'user-agent': 'lazaret', 'accept-encoding': 'identity' },
      signal,
      connectMs,
      answerMs,
      idleMs,
      ...(ledBy === undefined ? {} : { ledBy }),
    })
  } catch (error) {
    throw asProblem(error)
  }
}

/** A network that fails may be well again the next time; what is refused by rule will not be. */
export function asProblem(error: unknown): FetchProblem {
  if (error instanceof FetchProblem) return error
  const code = error instanceof LazaretError ? error.code : 'INTERNAL'
  return new FetchProblem(code, messageOf(error), { passing: code === 'UNAVAILABLE', cause: error })
}

const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])

/** Out: where it leads, undefined where it is no redirect. Never to another host than those listed, nor from https to http. */
async function redirectOf(response: Response, at: URL, first: URL, hosts: readonly string[]): Promise<URL | undefined> {
  if (!redirects.has(response.status)) return undefined
  await response.body?.cancel()
  const location = response.headers.get('location') ?? ''
  if (!URL.canParse(location, at.href)) throw new FetchProblem('UNAVAILABLE', `${shown(at)} leads to what is no URL`)
  const next = new URL(location, at)
  if (next.host !== first.host && !hosts.includes(next.host))
    throw new FetchProblem('DENIED', `${shown(at)} leads to another host, ${next.host.slice(0, 100)}: that is not followed`)
  if (next.protocol !== at.protocol && next.protocol !== 'https:')
    throw new FetchProblem('DENIED', `${shown(at)} leads from ${at.protocol} to ${next.protocol}: that is not followed`)
  if (next.username !== '' || next.password !== '') throw new FetchProblem('DENIED', `${shown(at)} leads to a URL with a user in it`)
  return next
}

async function wanted(response: Response, at: URL, now: number): Promise<Response> {
  const { status } = response
  if (status === 200 || status === 206 || status === 304 || status === 416) return response
  await response.body?.cancel()
  const afterMs = retryAfterMs(response.headers.get('retry-after'), now)
  const later = afterMs === undefined ? '' : `, and asks to be left alone for ${Math.ceil(afterMs / 1000)} s`
  throw new FetchProblem(status === 404 ? 'NOT_FOUND' : 'UNAVAILABLE', `${shown(at)} answers ${status}${later}`, {
    passing: passingStatus.has(status),
    answered: status,
    afterMs,
  })
}

/** Without its query, which may hold a key. */
export function shown(url: URL): string {
  return `${url.origin}${url.pathname}`.slice(0, 300)
}
