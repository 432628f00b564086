import { LazaretError } from '../errors.ts'
import { isWithoutProxy } from './no-proxy.ts'

export type Environment = Readonly<Record<string, string | undefined>>

export interface Proxy {
  /** With its credentials. */
  url: string
  /** For people: without them. */
  shown: string
  /** The variable that names it. */
  variable: string
}

/**
 * In: the URL that is to be asked, and the environment. Out: the proxy on the way there, undefined where there is none. HTTPS_PROXY
 * holds for https, HTTP_PROXY for http; of a pair that differs in case the lower one wins, as Node and curl have it. A proxy
 * without a scheme is an http one. Errors: SETTING_INVALID where it is no HTTP proxy.
 */
export function proxyFor(target: URL, env: Environment): Proxy | undefined {
  const named = variableIn(env, target.protocol === 'https:' ? 'https_proxy' : 'http_proxy')
  if (named === undefined) return undefined
  const [variable, text] = named
  const port = Number(target.port || (target.protocol === 'https:' ? 443 : 80))
  if (isWithoutProxy(variableIn(env, 'no_proxy')?.[1] ?? '', target.hostname.replace(/^\[|\]$/g, ''), port)) return undefined
  const url = parsed(text)
  if (url === undefined)
    throw new LazaretError(
      'SETTING_INVALID',
      `${variable} names no HTTP proxy: it must be http://HOST:PORT, with USER:PASSWORD@ before HOST where it wants a sign-in`,
    )
  return { url: url.href, shown: `${url.protocol}//${url.host}`, variable }
}

function variableIn(env: Environment, name: string): [name: string, text: string] | undefined {
  for (const one of [name, name.toUpperCase()]) {
    const text = env[one]?.trim()
    if (text !== undefined && text !== '') return [one, text]
  }
  return undefined
}

function parsed(text: string): URL | undefined {
  const withScheme = text.includes('://') ? text : `http://${text}`
  if (text.length > 2048 || !URL.canParse(withScheme)) return undefined
  const url = new URL(withScheme)
  const isProxy = (url.protocol === 'http:' || url.protocol === 'https:') && url.hostname !== '' && isDecodable(url)
  return isProxy && url.pathname === '/' && url.search === '' && url.hash === '' ? url : undefined
}

/** Credentials are percent-encoded in a URL, and what is not can't be sent. */
function isDecodable({ username, password }: URL): boolean {
  try {
    decodeURIComponent(username + password)
    return true
  } catch (error) {
    if (error instanceof URIError) return false
    throw error
  }
}
