// Bytes on a socket, for requests that no client library would send.

import { connect, type Socket } from 'node:net'
import type { Answer } from '../../support/protocol.ts'

export interface RawOptions {
  /** Ends the wait for more bytes after this long. */
  timeoutMs?: number
  /** Leaves the sending side open after the request, as a client does that waits for an answer. */
  keepOpen?: boolean
}

/** In: the bytes of a request. Out: every byte that came back until the server closed, or until the time was over. */
export function exchange(port: number, bytes: string | Uint8Array, options: RawOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    const chunks: Buffer[] = []
    const done = () => resolve(Buffer.concat(chunks).toString('latin1'))
    const timer = setTimeout(() => socket.destroy(), options.timeoutMs ?? 5000)
    socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    socket.on('close', () => {
      clearTimeout(timer)
      done()
    })
    socket.on('error', (error: NodeJS.ErrnoException) =>
      error.code === 'ECONNRESET' || error.code === 'EPIPE' ? undefined : reject(error),
    )
    socket.write(bytes)
    if (options.keepOpen !== true) socket.end()
  })
}

/** One request whose path and headers go out exactly as they are given, closed by the server after its answer. */
export async function rawRequest(
  port: number,
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body = '',
): Promise<Answer> {
  const lines = Object.entries({ host: `127.0.0.1:${port}`, connection: 'close', ...headers }).map(([name, value]) => `${name}: ${value}`)
  const length = body === '' ? [] : [`content-length: ${Buffer.byteLength(body)}`]
  return parseAnswer(
    await exchange(port, `${method} ${path} HTTP/1.1\r\n${[...lines, ...length].join('\r\n')}\r\n\r\n${body}`, { keepOpen: true }),
  )
}

/** In: what a server sent. Out: its first answer; status 0 where it sent nothing. */
export function parseAnswer(text: string): Answer {
  const [head = '', ...rest] = text.split('\r\n\r\n')
  const [statusLine = '', ...headerLines] = head.split('\r\n')
  const match = /^HTTP\/1\.1 (\d{3}) ?(.*)$/.exec(statusLine)
  const headers = new Headers(
    headerLines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()] as [string, string]),
  )
  return { status: Number(match?.[1] ?? 0), reason: match?.[2] ?? '', headers, body: Buffer.from(rest.join('\r\n\r\n'), 'latin1') }
}

/** How many answers a server sent on one connection: more than was asked is a smuggled request. */
export function statusLines(text: string): string[] {
  return [...text.matchAll(/HTTP\/1\.1 \d{3}.*/g)].map(([line]) => line)
}

export function openSocket(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => resolve(socket))
    socket.once('error', reject)
  })
}
