// One connection, byte by byte.

import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

export interface Wire {
  socket: Socket
  /** All that came so far. */
  text: () => string
  /** When the server has closed it. */
  closed: Promise<void>
  /** Resolves when what came matches. Throws where the connection ends, or so long passes, before. */
  until: (pattern: RegExp, ms?: number) => Promise<RegExpExecArray>
}

/** In: a port on loopback. Out: an open connection that nothing was sent on. */
export async function openWire(port: number): Promise<Wire> {
  const socket = connect(port, '127.0.0.1')
  let text = ''
  let changed: () => void = () => undefined
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1')
    changed()
  })
  await once(socket, 'connect')
  socket.on('error', () => undefined) // a server that cuts is what is looked at
  const closed = new Promise<void>((resolve) => {
    socket.once('close', () => {
      resolve()
      changed()
    })
  })
  const until = (pattern: RegExp, ms = 20_000) =>
    new Promise<RegExpExecArray>((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`no ${pattern} within ${ms} ms: ${JSON.stringify(text.slice(-500))}`)), ms)
      changed = () => {
        const found = pattern.exec(text)
        if (found === null && !socket.destroyed) return
        clearTimeout(late)
        if (found === null) reject(new Error(`closed before ${pattern}: ${JSON.stringify(text.slice(-500))}`))
        else resolve(found)
      }
      changed()
    })
  return { socket, text: () => text, closed, until }
}

/** The head of a request with so many bytes to come; `chunked` where nobody knows. */
export function headOf(method: string, path: string, authorization: string, length: number | 'chunked', type?: string): string {
  const body = length === 'chunked' ? 'transfer-encoding: chunked' : `content-length: ${length}`
  const lines = ['host: x', `authorization: ${authorization}`, body, `content-type: ${type ?? 'application/octet-stream'}`]
  return `${method} ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`
}

/** In: `HOST:PORT`. */
export function portOf(host: string): number {
  return Number(host.split(':')[1])
}
