// A program that stays: started, waited for, and gone at the end whatever happens.

import { type ChildProcess, spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { cleanEnvironment } from './run.ts'
import { findTool, tool } from './tools.ts'

export interface DaemonOptions {
  command: string
  args: readonly string[]
  env?: Record<string, string>
  cwd?: string
  /** Another user to run as. */
  user?: string
  /** Asked again and again until it answers true. */
  ready: () => Promise<boolean>
  stopSignal?: NodeJS.Signals
  startMs?: number
  stopMs?: number
}

export interface Daemon {
  pid: number
  /** All that it printed so far, both streams. */
  log: () => string
  /** Sends the stop signal and waits for the end. Out: the exit code, or null where it had to be killed. */
  stop: () => Promise<number | null>
}

const logLimit = 4 * 1024 * 1024

/** In: the suite's stack and what to start. Out: the running daemon. Throws with its log where it ends early or is not ready in time. */
export async function startDaemon(stack: AsyncDisposableStack, options: DaemonOptions): Promise<Daemon> {
  const child = spawnTied(options)
  const daemon = daemonOf(child, options)
  stack.defer(async () => void (await daemon.stop()))
  await waitUntilReady(child, daemon, options)
  return daemon
}

/** A port that was free a moment ago on the loopback address. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no port was given')
  return address.port
}

/** The kernel kills the child when this process dies, even by SIGKILL: `setpriv --pdeathsig`. */
function spawnTied(options: DaemonOptions): ChildProcess {
  const command = options.command.includes('/') ? options.command : tool(options.command)
  const asUser = options.user === undefined ? [] : [`--reuid=${options.user}`, `--regid=${options.user}`, '--init-groups']
  const tied =
    findTool('setpriv') === undefined
      ? [command, ...options.args]
      : [tool('setpriv'), ...asUser, '--pdeathsig=KILL', '--', command, ...options.args]
  const [program, ...args] = tied as [string, ...string[]]
  return spawn(program, args, { env: { ...cleanEnvironment(), ...options.env }, cwd: options.cwd, stdio: ['ignore', 'pipe', 'pipe'] })
}

function daemonOf(child: ChildProcess, options: DaemonOptions): Daemon {
  let log = ''
  const keep = (chunk: Buffer) => void (log = (log + chunk.toString('utf8')).slice(-logLimit))
  child.stdout?.on('data', keep)
  child.stderr?.on('data', keep)
  child.once('error', (error) => keep(Buffer.from(`${options.command}: ${error.message}\n`)))
  const ended = new Promise<number | null>((resolve) => {
    child.once('close', resolve)
    child.once('error', () => resolve(null))
  })
  return { pid: child.pid ?? 0, log: () => log, stop: () => stopChild(child, ended, options) }
}

async function stopChild(child: ChildProcess, ended: Promise<number | null>, options: DaemonOptions): Promise<number | null> {
  if (isGone(child)) return ended
  child.kill(options.stopSignal ?? 'SIGTERM')
  const killed = setTimeout(() => child.kill('SIGKILL'), options.stopMs ?? 15_000)
  try {
    return await ended
  } finally {
    clearTimeout(killed)
  }
}

async function waitUntilReady(child: ChildProcess, daemon: Daemon, options: DaemonOptions): Promise<void> {
  const deadline = Date.now() + (options.startMs ?? 60_000)
  while (Date.now() < deadline) {
    if (isGone(child)) throw new Error(`${options.command} ended before it was ready\n${daemon.log().slice(-8000)}`)
    if (await options.ready()) return
    await sleep(50)
  }
  throw new Error(`${options.command} was not ready in time\n${daemon.log().slice(-8000)}`)
}

function isGone(child: ChildProcess): boolean {
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null
}
