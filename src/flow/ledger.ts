import { messageOf } from '../kit/errors.ts'
import type { Log } from '../kit/log.ts'
import { createRefusals, type Refusals } from '../store/audit-refusals.ts'
import { cutAudit } from '../store/audit-retention.ts'
import { forgetMoves } from '../store/advisory-changes.ts'
import { createPullRecords, forgetPulls, type PullRecords } from '../store/pulls.ts'
import type { Records } from '../store/records/records.ts'

const pullsEveryMs = 2000
const refusalsEveryMs = 60_000
const ageEveryMs = 3_600_000
const dayMs = 86_400_000
/** Who pulled what before that tells nothing any more. */
const pullDays = 400

/** What is written down off the way of requests: pulls, refused sign-ins, and what has grown old. */
export interface Ledger {
  pulls: PullRecords
  refusals: Refusals
  start(): void
  /** Writes what was noted and not written yet. Where that fails it is said, and lost. */
  stop(): Promise<void>
}

export interface LedgerParts {
  records: Records
  /** 0: the audit log stays for ever. */
  keepDays: number
  log: Log
  now: () => number
}

export function createLedger({ records, keepDays, log, now }: LedgerParts): Ledger {
  const pulls = createPullRecords(records, now)
  const refusals = createRefusals(records, now)
  const timers: NodeJS.Timeout[] = []
  const stopping = new AbortController()
  let ageing = Promise.resolve()

  async function writePulls(): Promise<void> {
    await said('pulls not recorded', pulls.flush)
    const dropped = pulls.takeDropped()
    if (dropped > 0) log.warn({ dropped }, 'more pulls at once than are kept on record')
  }

  async function dropOld(): Promise<void> {
    await said('old pulls not forgotten', () => forgetPulls(records, now() - pullDays * dayMs))
    await said('old moves of verdicts not forgotten', () => forgetMoves(records, now() - pullDays * dayMs))
    if (keepDays > 0) await said('the audit log was not cut', () => cutAudit(records, now() - keepDays * dayMs, now(), stopping.signal))
  }

  async function said(failure: string, work: () => Promise<unknown>): Promise<void> {
    try {
      await work()
    } catch (error) {
      log.warn({ problem: messageOf(error), err: error }, failure)
    }
  }

  const writeRefusals = () => said('refused sign-ins not recorded', refusals.flush)

  return {
    pulls,
    refusals,
    start() {
      timers.push(
        setInterval(() => void writePulls(), pullsEveryMs),
        setInterval(() => void writeRefusals(), refusalsEveryMs),
        setInterval(() => void (ageing = ageing.then(dropOld)), ageEveryMs),
      )
      ageing = dropOld()
    },
    async stop() {
      for (const timer of timers) clearInterval(timer)
      stopping.abort()
      await ageing
      await writePulls()
      await writeRefusals()
    },
  }
}
