// A program that is watched: how long it took, and how much memory it held at most.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { processTree } from '../registry/memory.ts'

export interface Watched {
  ms: number
  /** The most at any look of VmHWM of the processes that run, added up: what two share is counted twice. */
  peakMiB: number
  /** The end of what it said on standard error. */
  errors: string
}

export interface Watch {
  env?: NodeJS.ProcessEnv
  cwd: string
  /** Where its standard output goes; else nowhere. */
  output?: string
  /** Whether this end is the one that was wanted; else an exit code of 0 is. */
  endsWell?: (code: number | null, errors: string) => boolean
}

const lookMs = 20
/** Looks between two at who belongs to the tree: that reads the table of all processes. */
const treeEvery = 10
const mostMs = 15 * 60_000
const mostErrors = 1 << 20

/** Throws where it does not end well, with the end of what it said. */
export async function watched(
  command: readonly string[],
  { env = process.env, cwd, output, endsWell = (code) => code === 0 }: Watch,
): Promise<Watched> {
  const [program = '', ...args] = command
  const file = output === undefined ? undefined : await open(output, 'w')
  try {
    const began = performance.now()
    const child = spawn(program, args, { env, cwd, stdio: ['ignore', file?.fd ?? 'ignore', 'pipe'] })
    let errors = ''
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (errors = (errors + text).slice(-mostErrors)))
    const peak = peakOf(child.pid ?? -1)
    const look = setInterval(peak.look, lookMs)
    const kill = () => void child.kill('SIGKILL')
    const timer = setTimeout(kill, mostMs)
    process.once('exit', kill)
    let ms = Number.NaN
    child.once('exit', () => (ms = performance.now() - began))
    try {
      const [code, signal] = (await once(child, 'close')) as [number | null, string | null]
      if (!endsWell(code, errors)) throw new Error(`${command.join(' ')}: ended with ${code ?? signal}: ${errors.slice(-2000)}`)
    } finally {
      clearInterval(look)
      clearTimeout(timer)
      process.off('exit', kill)
    }
    return { ms, peakMiB: peak.mostKiB() / 1024, errors }
  } finally {
    await file?.close()
  }
}

/** The kernel keeps each process's peak itself: a look misses only what was added after the last one. */
function peakOf(pid: number) {
  let tree = [pid]
  let looks = 0
  let most = 0
  const look = () => {
    if (looks++ % treeEvery === 0) tree = processTree(pid)
    const sum = tree.reduce((all, one) => all + Number(/^VmHWM:\s+(\d+)/m.exec(statusOf(one))?.[1] ?? 0), 0)
    most = Math.max(most, sum)
  }
  return { look, mostKiB: () => most }
}

/** A process may end between two looks. */
function statusOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8')
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return ''
    throw error
  }
}
