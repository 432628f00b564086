// Requests at a fixed rate, whatever the server does: each is timed from the moment when it was due, so that a server that stalls
// is not asked less for it.
import { connect, type Socket } from 'node:net'

const connections = 64
const mostWaiting = 200_000

export interface Steady {
  origin: string
  path: string
  headers: Record<string, string>
  perSecond: number
}

/** Asks until `until` is settled. Out: the milliseconds of each answer. Throws on one that is no 200, and when the server hangs up. */
export async function steadily({ origin, path, headers, perSecond }: Steady, until: Promise<unknown>): Promise<number[]> {
  const { hostname, port, host } = new URL(origin)
  const lines = Object.entries({ host, ...headers }).map(([name, value]) => `${name}: ${value}\r\n`)
  const request = `GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`
  const failed = Promise.withResolvers<never>()
  const free = await Promise.all(Array.from({ length: connections }, () => connected(Number(port), hostname, failed.reject)))
  const latencies: number[] = []
  const due: number[] = []
  const underWay = new Set<Promise<void>>()
  const began = performance.now()
  let asked = 0
  let timer: NodeJS.Timeout | undefined

  function send(): void {
    while (due.length > 0 && free.length > 0) {
      const [line, at] = [free.pop(), due.shift()]
      if (line === undefined || at === undefined) return
      const answered = line.ask(request).then(() => {
        latencies.push(performance.now() - at)
        underWay.delete(answered)
        free.push(line)
        send()
      })
      underWay.add(answered)
      answered.catch(failed.reject)
    }
    if (due.length > mostWaiting) failed.reject(new Error(`${mostWaiting} requests wait for an answer`))
  }

  function tick(): void {
    const now = performance.now()
    for (let at = began + (asked * 1000) / perSecond; at <= now; at = began + (asked * 1000) / perSecond) {
      due.push(at)
      asked++
    }
    send()
    timer = setTimeout(tick, 1)
  }

  const all = [...free]
  try {
    tick()
    await Promise.race([until, failed.promise])
    clearTimeout(timer)
    while (underWay.size > 0) await Promise.race([Promise.all(underWay), failed.promise])
    return latencies
  } finally {
    clearTimeout(timer)
    for (const { socket } of all) socket.destroy()
  }
}

interface Line {
  socket: Socket
  ask: (request: string) => Promise<void>
}

function connected(port: number, host: string, onFailed: (error: Error) => void): Promise<Line> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host, noDelay: true })
    let answered: (() => void) | undefined
    let [head, missing] = ['', -1]
    socket.once('error', reject)
    socket.on('error', onFailed)
    socket.on('end', () => onFailed(new Error('the server hung up')))
    socket.on('data', (chunk: Buffer) => {
      if (missing < 0) {
        head += chunk.toString('latin1')
        const end = head.indexOf('\r\n\r\n')
        if (end < 0) return
        if (!head.startsWith('HTTP/1.1 200')) return onFailed(new Error(head.slice(0, 500)))
        missing = Number(/^content-length: *(\d+)/im.exec(head)?.[1]) - (head.length - end - 4)
      } else missing -= chunk.length
      if (missing > 0) return
      ;[head, missing] = ['', -1]
      answered?.()
    })
    const ask = (request: string) =>
      new Promise<void>((done) => {
        answered = done
        socket.write(request)
      })
    socket.once('connect', () => resolve({ socket, ask }))
  })
}
