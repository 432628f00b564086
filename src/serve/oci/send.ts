import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Answer } from '../../kit/http.ts'
import { isPumped } from '../../kit/pumped.ts'
import { noteOf } from '../request-note.ts'
import { endSoon } from './leaving.ts'

/** A connection on which nothing moves for so long is given up: it holds a file, and memory, for nobody. */
export const idleMs = 120_000

/** Holds a request to sending its body; how long the whole of it takes is its own affair. */
export function endWhenIdle(request: IncomingMessage): void {
  const { 'content-length': length = '0', 'transfer-encoding': pieces } = request.headers
  if (length === '0' && pieces === undefined) return
  request.setTimeout(idleMs)
  request.once('end', () => request.setTimeout(0)) // what follows takes its time: a verdict, the disk
}

/**
 * Writes an answer. containerd stops at a refused HEAD, which has no body, and prints the status line: a refusal's line
 * is the reason phrase too.
 * Ends when the last byte was handed over; a client that hangs up is no error.
 */
export async function send(response: ServerResponse, answer: Answer & { reasonPhrase?: string }, withBody: boolean): Promise<void> {
  const { body } = answer
  try {
    writeHead(response, answer)
    if (!(body instanceof Readable)) end(response, withBody ? body : undefined)
    else if (withBody) await stream(body, response)
    else response.end()
  } finally {
    // An open file that is left to the garbage collector ends the process.
    if (body instanceof Readable) body.destroy()
  }
}

function writeHead(response: ServerResponse, answer: Answer & { reasonPhrase?: string }): void {
  const headers = {
    'docker-distribution-api-version': 'registry/2.0',
    'x-content-type-options': 'nosniff',
    'x-request-id': noteOf(response.req)?.id ?? '',
    ...answer.headers,
  }
  if (answer.reasonPhrase === undefined) response.writeHead(answer.status, headers)
  else response.writeHead(answer.status, answer.reasonPhrase, headers)
}

/** Head and a small body leave in one piece where both are text of one byte a character, which costs half of two. */
const mostInOnePiece = 16 * 1024

function end(response: ServerResponse, body: Buffer | string | undefined): void {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body
  endSoon(response, bytes !== undefined && bytes.length <= mostInOnePiece ? bytes.toString('latin1') : bytes)
}

/** What the write side says of a client that went away. */
const hungUp: ReadonlySet<string> = new Set(['ERR_STREAM_PREMATURE_CLOSE', 'ERR_STREAM_DESTROYED', 'EPIPE', 'ECONNRESET', 'ECANCELED'])

/** A client that went away before the first byte is a closed stream, which `pipeline` refuses without a look at the source. */
async function stream(body: Readable, response: ServerResponse): Promise<void> {
  if (response.destroyed) return
  response.setTimeout(idleMs)
  try {
    if (isPumped(body)) {
      await body.pumpTo(response)
      response.end()
    } else await pipeline(body, response)
  } catch (error) {
    if (!hungUp.has(String((error as NodeJS.ErrnoException).code))) throw error
  }
}
