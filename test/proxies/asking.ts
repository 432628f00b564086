// One request over a socket of its own, by TLS or not, with whatever head a test wants, and its answer with the reason phrase.

import { request as plainRequest, type Agent, type IncomingMessage, type RequestOptions } from 'node:http'
import { request as tlsRequest } from 'node:https'

export interface Heard {
  status: number
  reason: string
  headers: IncomingMessage['headers']
  body: string
  /** Whether `100 Continue` came before the answer. */
  continued: boolean
}

export interface Asking {
  method?: string
  headers?: Record<string, string>
  /** Sent in its pieces; chunked where no Content-Length is given. */
  body?: readonly (string | Uint8Array)[]
  /** Waits for `100 Continue` before the body goes out. */
  expectContinue?: boolean
  agent?: Agent
  username?: string
  password?: string
}

const patienceMs = 60_000

/** In: `http://…` or `https://…`; the path goes out as it stands in `path`. Out: the whole answer. Throws where none comes. */
export function heard(origin: string, path: string, asking: Asking = {}): Promise<Heard> {
  return new Promise((resolve, reject) => {
    const { hostname, port, protocol } = new URL(origin)
    const { username, password = '', body = [], expectContinue = false } = asking
    const options: RequestOptions = {
      host: hostname,
      port,
      path,
      method: asking.method ?? 'GET',
      headers: { ...asking.headers, ...(expectContinue ? { expect: '100-continue' } : {}) },
      ...(username === undefined ? {} : { auth: `${username}:${password}` }),
      agent: asking.agent ?? false,
      timeout: patienceMs,
    }
    const sent = protocol === 'https:' ? tlsRequest(options) : plainRequest(options)
    let continued = false
    const send = () => {
      for (const piece of body) sent.write(piece)
      sent.end()
    }
    sent.once('continue', () => {
      continued = true
      if (expectContinue) send()
    })
    sent.once('timeout', () => sent.destroy(new Error(`${origin}${path}: no answer in ${patienceMs} ms`)))
    sent.once('error', reject)
    sent.once('response', (answer) => {
      const chunks: Buffer[] = []
      answer.on('data', (chunk: Buffer) => chunks.push(chunk))
      answer.once('error', reject)
      answer.once('end', () =>
        resolve({
          status: answer.statusCode ?? 0,
          reason: answer.statusMessage ?? '',
          headers: answer.headers,
          body: Buffer.concat(chunks).toString('utf8'),
          continued,
        }),
      )
    })
    if (expectContinue) sent.flushHeaders()
    else send()
  })
}
