import { fork, type ChildProcess } from 'node:child_process'
import { setPriority } from 'node:os'
import { fileURLToPath } from 'node:url'
import { LazaretError, messageOf } from '../../kit/errors.ts'
import type { Log } from '../../kit/log.ts'
import type { BlobReading, Compared, Examined, RematchedImages, Response, Task, TaskResult } from './protocol.ts'

/** Runs tasks in a process of their own. A task that is late, or a process that dies, is an error; the next task starts anew. */
export interface WorkerPool {
  start(): void
  inventory(task: Omit<Extract<Task, { task: 'inventory' }>, 'task'>): Promise<BlobReading>
  examine(task: Omit<Extract<Task, { task: 'examine' }>, 'task'>): Promise<Examined>
  compare(task: Omit<Extract<Task, { task: 'compare' }>, 'task'>): Promise<Compared>
  rematch(task: Omit<Extract<Task, { task: 'rematch' }>, 'task'>): Promise<RematchedImages>
  state(): WorkerState
  close(): void
}

export interface WorkerState {
  /** Of the process; absent where none runs, as none has begun yet or the last one ended. The next task begins one. */
  pid?: number
  /** Processes that ended without being told to. */
  ended: number
  /** Under way. */
  tasks: number
}

const examineMs = 120_000
/** Time for a layer: a floor, and what the slowest disk needs. */
const inventoryMs = (sizeBytes: number) => 120_000 + sizeBytes / 5_000
/** Behind those who pull and push. */
const niceness = 10
const heapMegabytes = 2048

interface Waiting {
  settle: (outcome: Response | Error) => void
  timer: NodeJS.Timeout
}

export function createWorkerPool(folders: { blobs: string; advisories: string }, log: Log): WorkerPool {
  let child: ChildProcess | undefined
  let lastId = 0
  let endedCount = 0
  let closed = false
  const waiting = new Map<number, Waiting>()

  function started(): ChildProcess {
    if (child !== undefined) return child
    const fresh = fork(fileURLToPath(new URL('./entry.ts', import.meta.url)), [folders.blobs, folders.advisories], {
      serialization: 'advanced',
      execArgv: [`--max-old-space-size=${heapMegabytes}`, '--disable-warning=ExperimentalWarning'],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    if (fresh.pid !== undefined) setPriority(fresh.pid, niceness)
    fresh.on('message', (response: Response) => settle(response.id, response))
    fresh.on('exit', (code, signal) => ended(fresh, `the worker ended (${signal ?? `code ${code}`})`))
    fresh.on('error', (error) => ended(fresh, `the worker failed: ${messageOf(error)}`))
    child = fresh
    return fresh
  }

  function ended(which: ChildProcess, problem: string): void {
    if (child !== which) return
    child = undefined
    endedCount++
    if (!closed) log.warn({ problem }, 'worker ended')
    for (const id of waiting.keys()) settle(id, new LazaretError('INTERNAL', problem))
  }

  function settle(id: number, outcome: Response | Error): void {
    const entry = waiting.get(id)
    waiting.delete(id)
    clearTimeout(entry?.timer)
    entry?.settle(outcome)
  }

  function run(task: Task, ms: number): Promise<TaskResult> {
    if (closed) return Promise.reject(new LazaretError('UNAVAILABLE', 'the server is stopping'))
    const id = ++lastId
    const process = started()
    return new Promise((resolve, reject) => {
      const late = () => {
        log.warn({ task: task.task, seconds: ms / 1000 }, 'worker late: ended')
        process.kill('SIGKILL')
      }
      waiting.set(id, {
        timer: setTimeout(late, ms),
        settle: (outcome) => {
          if (outcome instanceof Error) reject(outcome)
          else if (outcome.ok) resolve(outcome.result)
          else reject(new LazaretError('INTERNAL', outcome.problem))
        },
      })
      process.send({ id, ...task }, (error) => error !== null && settle(id, error))
    })
  }

  return {
    start: () => void started(),
    inventory: (task) => run({ task: 'inventory', ...task }, inventoryMs(task.sizeBytes)) as Promise<BlobReading>,
    examine: (task) => run({ task: 'examine', ...task }, examineMs) as Promise<Examined>,
    compare: (task) => run({ task: 'compare', ...task }, examineMs) as Promise<Compared>,
    rematch: (task) => run({ task: 'rematch', ...task }, examineMs) as Promise<RematchedImages>,
    state: () => ({ ...(child?.pid === undefined ? {} : { pid: child.pid }), ended: endedCount, tasks: waiting.size }),
    close() {
      closed = true
      child?.kill('SIGKILL') // it writes nothing; one that hangs must not keep the server from ending
    },
  }
}
