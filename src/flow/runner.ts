import { LazaretError, messageOf } from '../kit/errors.ts'
import type { Log } from '../kit/log.ts'
import { outside } from '../kit/tracing/span.ts'
import type { Digest } from '../model/digest.ts'
import { recordEarlierChains } from '../store/chains.ts'
import {
  claimJobs,
  dueAfterSetBack,
  extendLeases,
  failJob,
  finishJob,
  leaseMs,
  mostAttempts,
  returnJob,
  type Job,
  type JobKind,
} from '../store/jobs/jobs.ts'
import type { Records } from '../store/records/records.ts'
import type { Examinations } from './examinations.ts'
import type { Inventories } from './inventories.ts'

/** Takes jobs as they come and does them: what follows what stands in `handlers`. */
export interface Runner {
  start(): void
  /** A job may be there: look now rather than at the next turn. */
  wake(): void
  /** When a job was last done, failed or put back here, or the start, ms since 1970. */
  movedAt(): number
  /** Jobs under way go back to the queue; those of a process that was killed do when their lease ends, or at the next start. */
  stop(): Promise<void>
}

export interface RunnerParts {
  records: Records
  inventories: Inventories
  examinations: Examinations
  /** Put around each job, to see it in traces. */
  around?: (job: Job, work: () => Promise<void>) => Promise<void>
  log: Log
  now: () => number
}

const idleMs = 1000
const lostEveryMs = 5000
/** Less is how a clock is kept right. */
const leastSetBackMs = 1000
/** Jobs mostly wait for the worker; a few at once keep it fed. */
const mostAtOnce = 4

type Handler = (job: Job) => Promise<void>

export function createRunner(parts: RunnerParts): Runner {
  const { records, inventories, examinations, around = doAlone, log, now } = parts
  const running = new Map<number, Promise<void>>()
  let movedAt = now()
  let seenAt = Number.POSITIVE_INFINITY
  let soughtLostAt = Number.NEGATIVE_INFINITY
  let stopped = false
  let looking: Promise<void> | undefined
  let again = false
  let timer: NodeJS.Timeout | undefined
  let leases: NodeJS.Timeout | undefined

  const handlers: Record<JobKind, Handler> = {
    inventory: async (job) => {
      await inventories.of(job.subject as Digest, (tx) => finishJob(tx, job.id))
    },
    examine: (job) => examinations.examine(job.subject as Digest, job.id),
    rejudge: (job) => examinations.rejudge(job.subject, job.id),
    rematch: (job) => examinations.rematch(job.id),
    chains: (job) => recordEarlierChains(records, job.subject, job.id, now()),
  }

  async function run(job: Job): Promise<void> {
    try {
      if (job.attempts > mostAttempts) throw new LazaretError('INTERNAL', 'it ended the server, or its lease, each time it was tried')
      await around(job, () => handlers[job.kind](job))
    } catch (error) {
      if (stopped) return records.write((tx) => returnJob(tx, job, now()))
      log.warn({ job: job.kind, subject: job.subject, attempt: job.attempts, problem: messageOf(error) }, 'job failed')
      if (job.attempts >= mostAttempts) await giveUp(job, messageOf(error))
      await records.write((tx) => failJob(tx, job, messageOf(error), now()))
    }
  }

  /** What can't be examined is held with a reason, not left pending for good. */
  async function giveUp(job: Job, problem: string): Promise<void> {
    if (job.kind === 'inventory') await inventories.giveUp(job.subject as Digest, problem)
    if (job.kind === 'examine') await examinations.giveUp(job.subject as Digest, problem)
  }

  function begin(job: Job): void {
    const work = run(job)
      .catch((error: unknown) => log.error({ job: job.kind, subject: job.subject, problem: messageOf(error) }, 'job could not be put back'))
      .finally(() => {
        running.delete(job.id)
        movedAt = now()
        wake()
      })
    running.set(job.id, work)
  }

  /** At the start too: the clock may have been set back meanwhile. */
  async function heedClock(): Promise<void> {
    const at = now()
    const setBackMs = seenAt - at
    const jobs = setBackMs < leastSetBackMs ? undefined : await dueAfterSetBack(records, at)
    seenAt = at
    if (jobs === undefined || (jobs === 0 && setBackMs === Number.POSITIVE_INFINITY)) return
    log.warn({ jobs }, 'the clock was set back: work that waited for a later time is due now')
    movedAt = Math.min(movedAt, at)
  }

  /** A lease lasts a minute: who lost one need not be looked for at each job. */
  function lostAreDue(): boolean {
    const at = now()
    if (at >= soughtLostAt && at - soughtLostAt < lostEveryMs) return false
    soughtLostAt = at
    return true
  }

  async function look(): Promise<void> {
    do {
      again = false
      await heedClock()
      const room = mostAtOnce - running.size
      if (room <= 0 || stopped) return
      const jobs = await claimJobs(records, Object.keys(handlers) as JobKind[], room, now(), { lost: lostAreDue() })
      for (const job of jobs) begin(job)
      if (jobs.length === room) again = true
    } while (again && running.size < mostAtOnce)
  }

  function wake(): void {
    if (stopped) return
    again = true
    if (looking !== undefined) return
    clearTimeout(timer)
    looking = outside(look) // a request that wakes it has no part in what is found
      .catch((error: unknown) => log.error({ problem: messageOf(error) }, 'jobs could not be read'))
      .finally(() => {
        looking = undefined
        if (stopped) return
        if (again && running.size < mostAtOnce) wake()
        else timer = setTimeout(wake, idleMs)
      })
  }

  return {
    start() {
      leases = setInterval(() => {
        extendLeases(records, [...running.keys()], now()).catch((error: unknown) =>
          log.warn({ problem: messageOf(error) }, 'leases not extended'),
        )
      }, leaseMs / 3)
      wake()
    },
    wake,
    movedAt: () => movedAt,
    async stop() {
      stopped = true
      clearTimeout(timer)
      clearInterval(leases)
      await looking
      await Promise.allSettled(running.values())
    },
  }
}

function doAlone(_job: Job, work: () => Promise<void>): Promise<void> {
  return work()
}
