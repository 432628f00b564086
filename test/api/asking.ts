// Requests to /api/v1 of a server, and its answers as they come.

import type { Credentials } from '../support/protocol.ts'

/** Whatever shape a test expects: what isn't so fails there. */
// oxlint-disable-next-line typescript/no-explicit-any
export type Json = any

export interface Reply {
  status: number
  headers: Headers
  text: string
  /** Parsed; undefined where the answer has no body. */
  json: Json
}

/** Credentials, an Authorization header, or null for none. */
export type As = Credentials | string | null

export type AskApi = (
  method: string,
  path: string,
  options?: { body?: unknown; raw?: string | Uint8Array; type?: string; as?: As },
) => Promise<Reply>

/** In: `HOST:PORT`, and who asks unless said otherwise. */
export function askerOf(host: string, who: Credentials): AskApi {
  return async (method, path, { body, raw, type, as = who } = {}) => {
    const authorization = as === null ? undefined : typeof as === 'string' ? as : basicOf(as)
    const headers = {
      ...(authorization === undefined ? {} : { authorization }),
      ...(body === undefined && raw === undefined ? {} : { 'content-type': type ?? 'application/json' }),
    }
    const payload = raw ?? (body === undefined ? undefined : JSON.stringify(body))
    const response = await fetch(`http://${host}${path.startsWith('/api') ? '' : '/api/v1'}${path}`, {
      method,
      headers,
      redirect: 'manual',
      signal: AbortSignal.timeout(60_000),
      ...(payload === undefined ? {} : { body: payload as string }),
    })
    const text = await response.text()
    return {
      status: response.status,
      headers: response.headers,
      text,
      json: text === '' || !text.startsWith('{') ? undefined : JSON.parse(text),
    }
  }
}

export function basicOf({ username, password }: Credentials): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
}
