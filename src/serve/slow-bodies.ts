import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { LazaretError } from '../kit/errors.ts'
import { errorAnswer } from './oci/errors.ts'
import { noteError } from './request-note.ts'

/** As Apache's mod_reqtimeout has it. */
const leastBytesPerSecond = 500
const looksInAWindow = 4
/** Who was answered before the end of its body may read the answer; what still comes is thrown away meanwhile. */
const mostLingerMs = 5000

/** Ends requests whose bodies come too slowly: an upload holds a file and a place among those that may be written at one time. */
export interface SlowBodies {
  /** In: a request of which nothing was read yet but its head. */
  watch(request: IncomingMessage, response: ServerResponse): void
  stop(): void
}

interface Body {
  response: ServerResponse
  socket: Socket
  /** Of performance.now(), and what the connection had brought by then. */
  since: number
  bytes: number
}

/**
 * The pace is asked for over each window, not over the whole: a large push over a slow line takes as long as it takes, and may pause.
 * What has come and waits here is not held against the client.
 * In: the length of a window. Who is too slow gets 408 with the reason; what came of its upload stays, to go on with.
 */
export function createSlowBodies(seconds: number): SlowBodies {
  const bodies = new Map<IncomingMessage, Body>()
  const timer = setInterval(look, (seconds * 1000) / looksInAWindow)
  timer.unref()

  function look(): void {
    const now = performance.now()
    for (const [request, body] of bodies) {
      if (request.complete) bodies.delete(request)
      else if (now - body.since >= seconds * 1000) weigh(request, body, now)
    }
  }

  function weigh(request: IncomingMessage, body: Body, now: number): void {
    const { bytesRead } = body.socket
    const due = ((now - body.since) / 1000) * leastBytesPerSecond
    if (request.readableLength === 0 && bytesRead - body.bytes < due) {
      bodies.delete(request)
      end(request, body.response, tooSlow(seconds))
    } else Object.assign(body, { since: now, bytes: bytesRead })
  }

  /** Node reads on without end, so that the connection can be used again. */
  function linger(request: IncomingMessage, socket: Socket): void {
    bodies.delete(request)
    if (request.complete) return
    const cut = setTimeout(() => !request.complete && socket.destroy(), Math.min(seconds * 1000, mostLingerMs))
    cut.unref()
    socket.once('close', () => clearTimeout(cut))
  }

  return {
    watch(request, response) {
      if (!hasBody(request)) return
      const { socket } = request // which lets go of it with the answer
      bodies.set(request, { response, socket, since: performance.now(), bytes: socket.bytesRead })
      request.once('close', () => bodies.delete(request))
      response.once('finish', () => linger(request, socket))
    },
    stop: () => clearInterval(timer),
  }
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0'
}

/** Whoever reads the body is told by the error, and finds that the answer is out. */
function end(request: IncomingMessage, response: ServerResponse, error: LazaretError): void {
  noteError(request, error)
  if (!response.headersSent) {
    const { status, headers, body } = errorAnswer(error)
    response.writeHead(status, { ...headers, connection: 'close' }).end(body)
  }
  request.destroy(error)
}

function tooSlow(seconds: number): LazaretError {
  const words = `less than ${leastBytesPerSecond} bytes a second came over ${seconds} s: the rest is not waited for`
  return new LazaretError('TIMED_OUT', words, { status: 408, detail: { limit: 'body' } })
}
