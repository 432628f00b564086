import type { ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Answer } from '../../kit/http.ts'

/**
 * Writes an answer. containerd stops at a refused HEAD, which has no body, and prints the status line: a refusal's line
 * is the reason phrase too.
 * Ends when the last byte was handed over; a client that hangs up is no error.
 */
export async function send(response: ServerResponse, answer: Answer & { reasonPhrase?: string }, withBody: boolean): Promise<void> {
  const headers = { 'docker-distribution-api-version': 'registry/2.0', 'x-content-type-options': 'nosniff', ...answer.headers }
  if (answer.reasonPhrase === undefined) response.writeHead(answer.status, headers)
  else response.writeHead(answer.status, answer.reasonPhrase, headers)
  if (!(answer.body instanceof Readable)) {
    response.end(withBody ? answer.body : undefined)
    return
  }
  if (!withBody) {
    answer.body.destroy()
    response.end()
    return
  }
  try {
    await pipeline(answer.body, response)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error
  }
}
