// The process that examines what is pushed, held still: what is pushed meanwhile stays pending.

import { readdir, readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Lazaret } from './lazaret.ts'

const entry = 'src/flow/worker/entry.ts'
const patienceMs = 10_000

/** A worker that stands still until `goOn`, or until it is disposed of. */
export interface StoppedWorker extends Disposable {
  pid: number
  goOn: () => void
}

/** In: a server. Out: its worker, stopped. A task that began stays unfinished; the server ends a worker that is late after two minutes. */
export async function stopWorker(server: Lazaret): Promise<StoppedWorker> {
  const pid = await waitFor(() => workerOf(server.daemon.pid), 'the server has no worker')
  process.kill(pid, 'SIGSTOP')
  const goOn = () => continueIfThere(pid)
  try {
    await waitFor(async () => ((await statOf(pid))?.state === 'T' ? true : undefined), `worker ${pid} does not stop`)
  } catch (error) {
    goOn()
    throw error
  }
  return { pid, goOn, [Symbol.dispose]: goOn }
}

async function workerOf(server: number): Promise<number | undefined> {
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number)) {
    const stat = await statOf(pid)
    if (stat?.parent === server && (await commandOf(pid)).includes(entry)) return pid
  }
  return undefined
}

/** proc_pid_stat(5): the name in parentheses may hold anything, what follows the last of them may not. */
async function statOf(pid: number): Promise<{ state: string; parent: number } | undefined> {
  const text = await procFile(pid, 'stat')
  const [state = '', parent = ''] = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return text === '' ? undefined : { state, parent: Number(parent) }
}

function commandOf(pid: number): Promise<string> {
  return procFile(pid, 'cmdline')
}

/** Out: the text, or '' of a process that has ended. */
function procFile(pid: number, name: string): Promise<string> {
  return readFile(`/proc/${pid}/${name}`, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ESRCH') return ''
    throw error
  })
}

function continueIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGCONT')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

async function waitFor<T>(look: () => Promise<T | undefined>, problem: string): Promise<T> {
  for (const deadline = Date.now() + patienceMs; Date.now() < deadline; await sleep(20)) {
    const found = await look()
    if (found !== undefined) return found
  }
  throw new Error(problem)
}
