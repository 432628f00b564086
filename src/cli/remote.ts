import { Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'
import { LazaretError } from '../kit/errors.ts'
import type { Exchange } from './client.ts'

const mostAnswerBytes = 256 * 1024 * 1024

/** In: the server's URL, and the Authorization header. Throws UNAVAILABLE where it does not answer; redirects are not followed. */
export function httpExchange(server: string, authorization: string | undefined): Exchange {
  return async ({ method, path, body, bytes }) => {
    const headers = {
      accept: 'application/json',
      ...(authorization === undefined ? {} : { authorization }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(bytes === undefined ? {} : { 'content-type': 'application/octet-stream' }),
    }
    const response = await reach(new URL(path, server), {
      method,
      headers,
      redirect: 'error',
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(bytes === undefined ? {} : { body: Readable.toWeb(Readable.from(bytes)) as ReadableStream<Uint8Array>, duplex: 'half' }),
    } as RequestInit)
    return { status: response.status, text: await bounded(response) }
  }
}

async function reach(url: URL, options: RequestInit): Promise<Response> {
  try {
    return await fetch(url, options)
  } catch (cause) {
    const inner = (cause as { cause?: { code?: string } }).cause?.code
    throw new LazaretError('UNAVAILABLE', `${url.origin} does not answer${inner === undefined ? '' : ` (${inner})`}`, { cause })
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
