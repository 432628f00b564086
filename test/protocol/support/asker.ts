// Somebody who sends requests: by Basic as they come, or by a token of a scope.

import type { Content } from '../../support/content.ts'
import { type Answer, type Ask, basicOf, type Credentials, exchange, tokenIn } from '../../support/protocol.ts'
import { pushContent } from '../../support/transfer.ts'

export interface Asker {
  credentials: Credentials | undefined
  /** The `Authorization` header of Basic; undefined for nobody. */
  basic: string | undefined
  /** One request with Basic. */
  ask: (path: string, options?: Omit<Ask, 'scope'>) => Promise<Answer>
  get: (path: string, headers?: Record<string, string>) => Promise<Answer>
  head: (path: string, headers?: Record<string, string>) => Promise<Answer>
  token: (scope?: string) => Promise<string>
  /** The same asker, whose every request carries a token of this scope. */
  by: (scope: string) => Promise<Asker>
  /** All of a content: blobs, then manifests, the root under the tag. Out: the answer to the root. */
  push: (repository: string, content: Content, tag?: string) => Promise<Answer>
  upload: (repository: string, bytes: Uint8Array, digest: string) => Promise<Answer>
  put: (repository: string, reference: string, mediaType: string, body: Uint8Array | string) => Promise<Answer>
}

/** In: the port of a server on loopback, and who asks. */
export function askerOf(port: number, credentials?: Credentials): Asker {
  const basic = basicOf(credentials)
  return askerWith(port, credentials, basic, basic)
}

/** In: the port and any `Authorization` header, well formed or not. */
export function askerByHeader(port: number, authorization: string): Asker {
  return askerWith(port, undefined, undefined, authorization)
}

function askerWith(
  port: number,
  credentials: Credentials | undefined,
  basic: string | undefined,
  authorization: string | undefined,
): Asker {
  const base = `http://127.0.0.1:${port}`
  const ask: Asker['ask'] = (path, options = {}) => exchange(base, path, options, authorization)
  const token = async (scope?: string) => {
    const query = scope === undefined ? '' : `&scope=${encodeURIComponent(scope)}`
    return tokenIn(await exchange(base, `/token?service=lazaret${query}`, {}, basic))
  }
  return {
    credentials,
    basic,
    ask,
    get: (path, headers = {}) => ask(path, { headers }),
    head: (path, headers = {}) => ask(path, { method: 'HEAD', headers }),
    token,
    by: async (scope) => askerWith(port, credentials, basic, `Bearer ${await token(scope)}`),
    push: (repository, content, tag) => pushContent(ask, repository, content, tag),
    upload: (repository, bytes, digest) =>
      ask(`/v2/${repository}/blobs/uploads/?digest=${digest}`, {
        method: 'POST',
        body: bytes,
        headers: { 'content-type': 'application/octet-stream' },
      }),
    put: (repository, reference, mediaType, body) =>
      ask(`/v2/${repository}/manifests/${reference}`, { method: 'PUT', body, headers: { 'content-type': mediaType } }),
  }
}
