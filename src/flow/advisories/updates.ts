import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { UpdateReport, UpdateRequest } from '../../advisories/fetch/update.ts'
import { type SourceRow, sourcesOf } from '../../advisories/fetch/source-rows.ts'
import { type ErrorCode, LazaretError, messageOf } from '../../kit/errors.ts'
import type { Log } from '../../kit/log.ts'
import type { Settings } from '../../kit/settings/settings.ts'
import { recordAudit, systemActor, type Actor } from '../../store/audit.ts'
import type { Records } from '../../store/records/records.ts'
import { chosenSources } from './chosen.ts'
import { waitForUpdate } from './schedule.ts'
import type { AdvisoryWatch } from './watch.ts'
import { storedEcosystems } from '../../store/ecosystems.ts'

export type { SourceRow } from '../../advisories/fetch/source-rows.ts'
export type { UpdateReport } from '../../advisories/fetch/update.ts'

export interface UpdateOrder {
  request: UpdateRequest
  dataFolder: string
  network: Settings['network']
}
export type UpdateOutcome = { report: UpdateReport } | { code: ErrorCode; problem: string }

/** Fetches advisories from their sources: by itself every so often, and when somebody asks. */
export interface AdvisoryUpdates {
  start(): void
  /** Ends what is under way: it is gone on with after the next start. */
  stop(): Promise<void>
  /**
   * In: sources by name, none for those that are set. Out: what came of each, once it is in force and what follows is queued.
   * Throws CONFLICT while another update runs and where nothing may be fetched, USAGE for a name that is none.
   */
  run(actor: Actor, wanted: { sources: readonly string[]; whole: boolean }): Promise<UpdateReport>
  /** What is known of each source. */
  rows(): SourceRow[]
}

export interface UpdatesParts {
  settings: Pick<Settings, 'advisories' | 'offline' | 'network' | 'data'>
  records: Records
  /** Ecosystems that are judged already. */
  judged: () => string[]
  watch: Pick<AdvisoryWatch, 'look'>
  log: Log
  now: () => number
}

const heapMegabytes = 4096
const mostMs = 6 * 3_600_000
/** A start has better things to do at first. */
const firstMs = 10_000

export function createAdvisoryUpdates({ settings, records, judged, watch, log, now }: UpdatesParts): AdvisoryUpdates {
  const { advisories } = settings
  const intervalMs = advisories.intervalSeconds * 1000
  let child: ChildProcess | undefined
  let running: Promise<unknown> | undefined
  let timer: NodeJS.Timeout | undefined
  let stopped = false

  async function update(actor: Actor, sources: readonly string[], whole: boolean): Promise<UpdateReport> {
    const chosen = chosenSources(sources, settings)
    const held = [...(await storedEcosystems(records)), ...judged()]
    if (stopped) throw new LazaretError('UNAVAILABLE', 'the server is stopping')
    child = startChild()
    try {
      const request = { sources: chosen, ecosystems: advisories.ecosystems, held, whole }
      const report = await outcomeOf(child, { request, dataFolder: settings.data, network: settings.network })
      const isWorthALine = actor !== systemActor || report.changed
      if (isWorthALine) await records.write((tx) => recordAudit(tx, { ...actor, ...auditOf(report), result: 'done', at: now() }))
      await watch.look()
      return report
    } finally {
      child = undefined
    }
  }

  async function run(actor: Actor, { sources, whole }: { sources: readonly string[]; whole: boolean }): Promise<UpdateReport> {
    if (running !== undefined) throw new LazaretError('CONFLICT', 'another update of the advisories is running')
    const work = update(actor, sources, whole)
    running = work.catch(() => undefined) // told to whoever asked for it
    try {
      return await work
    } finally {
      running = undefined
    }
  }

  /** Never throws: what goes wrong is said in the log, and tried again. */
  async function byItself(): Promise<void> {
    try {
      const { sources } = await run(systemActor, { sources: [], whole: false })
      for (const { source, part, problem } of sources)
        if (problem !== undefined)
          log.warn({ source, part, problem }, 'a source of advisories could not be read: what was read before stays')
    } catch (error) {
      if (!stopped) log.error({ problem: messageOf(error) }, 'advisories were not fetched')
    }
    schedule(firstMs)
  }

  function schedule(leastMs: number): void {
    if (stopped) return
    timer = setTimeout(() => void byItself(), Math.max(leastMs, waitMs()))
    timer.unref()
  }

  function waitMs(): number {
    try {
      return waitForUpdate(advisories.sources, sourcesOf(settings.data, now()), { intervalMs, now: now(), random: Math.random() })
    } catch (error) {
      log.error({ problem: messageOf(error) }, 'what is known of the sources of advisories could not be read')
      return intervalMs
    }
  }

  return {
    start() {
      if (!settings.offline && advisories.sources.length > 0 && intervalMs > 0) schedule(firstMs)
    },
    async stop() {
      stopped = true
      clearTimeout(timer)
      child?.kill('SIGKILL')
      await running
    },
    run,
    rows: () => sourcesOf(settings.data, now()),
  }
}

function auditOf({ revision, changed, sources }: UpdateReport) {
  const rows = sources.slice(0, 20).map(({ source, part, state, brought }) => ({ source, part, state, in: brought?.counts.in ?? 0 }))
  return { action: 'advisories.update', subject: revision, detail: { changed, sources: rows } }
}

function startChild(): ChildProcess {
  return fork(fileURLToPath(new URL('./update-entry.ts', import.meta.url)), [], {
    execArgv: [`--max-old-space-size=${heapMegabytes}`, '--disable-warning=ExperimentalWarning'],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
}

function outcomeOf(child: ChildProcess, order: UpdateOrder): Promise<UpdateReport> {
  return new Promise((resolve, reject) => {
    let outcome: UpdateOutcome | undefined
    const timer = setTimeout(() => child.kill('SIGKILL'), mostMs)
    child.once('message', (message) => (outcome = message as UpdateOutcome))
    child.once('error', (cause) => reject(new LazaretError('INTERNAL', 'the update could not be started', { cause })))
    child.once('exit', (code, signal) => {
      clearTimeout(timer)
      if (outcome === undefined) reject(new LazaretError('INTERNAL', `the update ended (${signal ?? `code ${code}`})`))
      else if ('report' in outcome) resolve(outcome.report)
      else reject(new LazaretError(outcome.code, outcome.problem))
    })
    child.send(order)
  })
}
