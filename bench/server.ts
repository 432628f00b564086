// Programs that a bench starts and stops, and the folder that it works in.
import { spawn, type ChildProcess } from 'node:child_process'
import { rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** The admin of every store that a bench makes. */
export const password = 'the-admin-of-this-bench'
export const basic = `Basic ${Buffer.from(`admin:${password}`).toString('base64')}`

export const launcher = join(import.meta.dirname, '..', 'bin', 'lazaret')

export interface Server {
  origin: string
  child: ChildProcess
}

const running = new Set<ChildProcess>()
const folders = new Set<string>()

/** However the bench ends, its servers end with it, and the folder goes. */
export function removeAtEnd(folder: string): void {
  folders.add(folder)
}

process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
  for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))

/** The environment in which `lazaret` works on a bench's folder. */
export function lazaretEnvironment(data: string, more: Record<string, string> = {}): NodeJS.ProcessEnv {
  return { ...process.env, LAZARET_DATA: data, LAZARET_ADMIN_PASSWORD: password, LAZARET_LOG: 'error', LAZARET_OFFLINE: 'true', ...more }
}

/** In: a data folder, and settings beyond it. Out: the server, ready. Throws where it ends before. */
export async function startLazaret(data: string, settings: Record<string, string> = {}): Promise<Server> {
  const port = await freePort()
  const env = lazaretEnvironment(data, { LAZARET_LISTEN: `127.0.0.1:${port}`, ...settings })
  return startServer([launcher, 'serve'], `http://127.0.0.1:${port}`, '/health/ready', env)
}

/** In: a command, where it will answer, and the path that says that it does. */
export async function startServer(command: string[], origin: string, path: string, env = process.env): Promise<Server> {
  const [program = '', ...args] = command
  const child = spawn(program, args, { env, stdio: ['ignore', 'ignore', 'inherit'] })
  running.add(child)
  child.once('exit', () => running.delete(child))
  const failed = new Promise<never>((_, reject) => {
    child.once('error', reject)
    child.once('exit', (code) => reject(new Error(`${program} ended with ${code ?? 'a signal'} before it answered`)))
  })
  failed.catch(() => undefined) // once it answers, its end is awaited by `stopServer`
  await Promise.race([answers(`${origin}${path}`), failed])
  return { origin, child }
}

export async function stopServer({ child }: Server): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  await ended
}

const mostStartMs = 120_000

async function answers(url: string): Promise<void> {
  for (const until = performance.now() + mostStartMs; performance.now() < until; await sleep(10)) {
    const ready = await fetch(url).then(
      (answer) => answer.ok,
      () => false, // it does not listen yet
    )
    if (ready) return
  }
  throw new Error(`${url} does not answer`)
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}
