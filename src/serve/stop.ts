import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import type { Log } from '../kit/log.ts'

const signals = ['SIGTERM', 'SIGINT'] as const
const numberOf = { SIGTERM: 15, SIGINT: 2 }
/** A terminal tells every process in front of it, and npm then tells its child once more: these two are one. */
const sameMs = 1000
/** For the records, the worker and the jobs under way, after the last request. */
const closingMs = 15_000
const lookEveryMs = 100

/** Waits for the first signal to stop. A second one ends the process at once: what was acknowledged is on disk at any moment. */
export function untilTold(log: Log): Promise<void> {
  return new Promise((resolve) => {
    let toldAt: number | undefined
    const told = (signal: (typeof signals)[number]) => {
      const now = performance.now()
      toldAt ??= now
      if (toldAt === now) return resolve()
      if (now - toldAt < sameMs) return
      log.warn('told to stop once more: ending at once')
      process.exit(128 + numberOf[signal])
    }
    for (const signal of signals) process.on(signal, told)
  })
}

/** Every connection from its first moment, TLS or not, also those that have sent nothing yet. */
export interface Connections {
  /** Ends those that wait for a request. */
  endIdle(): void
  /** Ends all. Out: how many there were. */
  endAll(): number
}

/** In: a server that does not listen yet. */
export function followConnections(server: Server): Connections {
  const open = new Set<Socket>()
  const isPlain = !('setSecureContext' in server)
  server.on('connection', (socket: Socket) => {
    open.add(socket)
    socket.once('close', () => open.delete(socket))
  })
  return {
    endIdle() {
      server.closeIdleConnections() // knows those that have had a request
      if (isPlain) for (const socket of open) if (socket.bytesRead === 0) socket.destroy()
    },
    endAll() {
      const count = open.size
      server.closeAllConnections()
      for (const socket of open) socket.destroy()
      return count
    },
  }
}

/**
 * No new connection from here on; requests under way end, those that wait for one are closed, and what is left after so long is cut.
 * Out: when all have ended.
 */
export async function closeWithin(app: FastifyInstance, connections: Connections, seconds: number, log: Log): Promise<void> {
  const looking = setInterval(() => connections.endIdle(), lookEveryMs)
  const late = setTimeout(() => {
    const count = connections.endAll()
    log.warn({ connections: count, seconds }, 'requests were still under way, and are cut')
  }, seconds * 1000)
  try {
    await app.close()
  } finally {
    clearInterval(looking)
    clearTimeout(late)
  }
}

/** In: what closes the rest. Where that does not end, the process does, with 1 and a line that says so. */
export async function closeOrExit(close: () => Promise<void>, log: Log): Promise<void> {
  const late = setTimeout(() => {
    log.error({ seconds: closingMs / 1000 }, 'the records or the worker do not close: ending all the same')
    process.exit(1)
  }, closingMs)
  try {
    await close()
  } finally {
    clearTimeout(late)
  }
}
