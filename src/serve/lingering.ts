import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'

/** nginx's `lingering_timeout` is the same. */
const lingerMs = 5_000

/**
 * A refusal that comes before the request's body has: its words go out at once, and the connection closes only when the rest
 * of the body was read and thrown away, or after five seconds. Closed with unread bytes it would be reset, and a proxy or a
 * client that still sends would lose the words (RFC 9112, 9.6).
 * In: the words, the request. Out: the body of an answer with `Connection: close` and a Content-Length.
 */
export function lingering(words: string | Buffer, request: IncomingMessage): Readable {
  return Readable.from(wordsThenRest(words, request), { objectMode: false })
}

async function* wordsThenRest(words: string | Buffer, request: IncomingMessage): AsyncGenerator<Buffer> {
  yield Buffer.from(words)
  if (!request.complete && !request.destroyed) await thrownAway(request)
}

function thrownAway(request: IncomingMessage): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, lingerMs)
    function done(): void {
      clearTimeout(timer)
      request.off('end', done).off('close', done).off('error', done)
      resolve()
    }
    request.once('end', done).once('close', done).once('error', done).resume()
  })
}

/** Refuses a request of the router's, of which the words are given: those who still send get to read them. */
export function refuse(request: FastifyRequest, reply: FastifyReply, words: string): FastifyReply {
  if (request.raw.complete) return reply.send(words)
  reply.headers({ connection: 'close', 'content-length': String(Buffer.byteLength(words)) })
  return reply.send(lingering(words, request.raw))
}
