import { LazaretError } from '../kit/errors.ts'
import type { Outgoing } from '../kit/outgoing/outgoing.ts'
import type { Exchange } from './client.ts'

const mostAnswerBytes = 256 * 1024 * 1024

/**
 * In: the server's URL, the Authorization header, the way out. Throws UNAVAILABLE where it does not answer; redirects are not
 * followed. How long an answer takes is the command's affair.
 */
export function httpExchange(server: string, authorization: string | undefined, outgoing: Outgoing): Exchange {
  return async ({ method, path, body, bytes }) => {
    const headers = {
      accept: 'application/json',
      ...(authorization === undefined ? {} : { authorization }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(bytes === undefined ? {} : { 'content-type': 'application/octet-stream' }),
    }
    const response = await outgoing.fetch(new URL(path, server), {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(bytes === undefined ? {} : { body: bytes }),
    })
    return { status: response.status, text: await bounded(response) }
  }
}

async function bounded(response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.length
    if (size > mostAnswerBytes) throw new LazaretError('LIMIT_EXCEEDED', `the answer is larger than ${mostAnswerBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
