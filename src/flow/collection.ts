import { setTimeout as sleep } from 'node:timers/promises'
import { LazaretError, messageOf } from '../kit/errors.ts'
import type { Log } from '../kit/log.ts'
import { parseDigest, type Digest } from '../model/digest.ts'
import { recordAudit, systemActor, type Actor } from '../store/audit.ts'
import { collect } from '../store/collection/collection.ts'
import { listDeleted, putBack, type DeletedManifest } from '../store/collection/deleted.ts'
import type { CollectionParts, Freed } from '../store/collection/parts.ts'
import { beginRun, breakRuns, endRun, findRun, keepRun, listRuns, type CollectionRun } from '../store/collection/runs.ts'
import type { Repository } from '../store/repositories.ts'

export type { DeletedManifest } from '../store/collection/deleted.ts'
export type { CollectionRun } from '../store/collection/runs.ts'

/** Collects what nothing needs, by itself and when it is asked to, and puts back what was deleted by mistake. */
export interface Collections {
  start(): void
  /** The one under way ends after its step, and is on record as broken. */
  stop(): Promise<void>
  /**
   * Begins a collection and waits for its end, but no longer than told. Out: how it stands then.
   * Throws CONFLICT where another is still under way by that time, naming it.
   */
  run(actor: Actor, options: { dryRun: boolean; waitMs: number }): Promise<CollectionRun>
  /** Waits as `run` does. Throws NOT_FOUND. */
  find(id: number, waitMs: number): Promise<CollectionRun>
  /** The latest first. */
  list(most: number): Promise<CollectionRun[]>
  deleted(query: { repository?: string; most: number }): Promise<DeletedManifest[]>
  /** Out: the tags that it has again. Throws NOT_FOUND, CONFLICT as `putBack` says. */
  restore(actor: Actor, repository: string, digest: string): Promise<{ repository: string; digest: Digest; tags: string[] }>
}

export interface CollectionsParts extends CollectionParts {
  findRepository: (name: string) => Promise<Repository | undefined>
  intervalMs: number
  /** Wakes the workers. */
  onRestored: () => void
  log: Log
}

const pollMs = 200
/** Who is far behind looks this often whether it is time. */
const longestSleepMs = 60_000
/** How often a run writes down how far it is. */
const keepEveryMs = 2000

export function createCollections(parts: CollectionsParts): Collections {
  const { records, log, now } = parts
  const stopping = new AbortController()
  const running = new Set<Promise<void>>()
  let timer: NodeJS.Timeout | undefined
  let leftBroken: Promise<void> | undefined

  /** Out: its id, once it has begun; it goes on by itself. */
  async function begin(actor: Actor, dryRun: boolean): Promise<number | undefined> {
    stopping.signal.throwIfAborted()
    leftBroken ??= breakRuns(records, now())
    await leftBroken
    const id = await beginRun(records, { by: actor.principal, dryRun }, now())
    if (id === undefined) return undefined
    const work = carryOut(id, actor, dryRun).finally(() => running.delete(work))
    running.add(work)
    return id
  }

  async function carryOut(id: number, actor: Actor, dryRun: boolean): Promise<void> {
    try {
      const freed = await collect(parts, { dryRun, signal: stopping.signal, onStep: keeper(id) })
      await endRun(records, id, { freed }, now())
      if (actor !== systemActor && !dryRun) await auditRun(actor, id, freed)
      log.info({ collection: id, dryRun, ...freed }, 'collection ended')
    } catch (error) {
      const problem = stopping.signal.aborted ? 'the server was stopped' : messageOf(error)
      log[stopping.signal.aborted ? 'info' : 'error']({ collection: id, problem }, 'collection broke off')
      await endRun(records, id, { problem }, now()).catch((second: unknown) =>
        log.error({ collection: id, problem: messageOf(second) }, 'the end of a collection could not be written down'),
      )
    }
  }

  function keeper(id: number): (freed: Freed) => Promise<void> {
    let keptAt = performance.now()
    return async (freed) => {
      if (performance.now() - keptAt < keepEveryMs) return
      keptAt = performance.now()
      if (!(await keepRun(records, id, freed, now()))) throw new LazaretError('CONFLICT', 'it was taken for dead, and another began')
    }
  }

  function auditRun(actor: Actor, id: number, freed: Freed): Promise<void> {
    const entry = {
      ...actor,
      at: now(),
      action: 'collection.run',
      subject: `collection:${id}`,
      result: 'done',
      detail: { ...freed },
    } as const
    return records.write((tx) => recordAudit(tx, entry))
  }

  async function look(): Promise<void> {
    const last = (await listRuns(records, 20)).find((run) => !run.dryRun)
    if (last === undefined || now() - last.startedAt >= parts.intervalMs) await begin(systemActor, false)
  }

  function schedule(): void {
    timer = setTimeout(
      () => {
        look()
          .catch((error: unknown) => log.error({ problem: messageOf(error) }, 'a collection could not begin'))
          .finally(() => {
            if (!stopping.signal.aborted) schedule()
          })
      },
      Math.min(longestSleepMs, Math.max(1000, parts.intervalMs / 4)),
    )
  }

  async function find(id: number, waitMs: number): Promise<CollectionRun> {
    const until = now() + waitMs
    for (;;) {
      const run = await findRun(records, id)
      if (run === undefined) throw new LazaretError('NOT_FOUND', `there is no collection ${id}`)
      if (run.state !== 'running' || now() >= until) return run
      await sleep(pollMs)
    }
  }

  return {
    start() {
      if (parts.intervalMs > 0) schedule()
    },
    async stop() {
      stopping.abort()
      clearTimeout(timer)
      await Promise.all(running)
    },
    async run(actor, { dryRun, waitMs }) {
      const until = now() + waitMs
      for (;;) {
        const id = await begin(actor, dryRun)
        if (id !== undefined) return find(id, Math.max(0, until - now()))
        if (now() >= until) throw await underWay()
        await sleep(pollMs)
      }
    },
    find,
    list: (most) => listRuns(records, most),
    deleted: (query) => listDeleted(records, { ...query, since: now() - parts.graceMs }),
    async restore(actor, name, text) {
      const digest = parseDigest(text)
      const repository = await parts.findRepository(name)
      if (digest === undefined) throw new LazaretError('INPUT_INVALID', `${JSON.stringify(text.slice(0, 140))} is not a digest`)
      if (repository === undefined) throw new LazaretError('NOT_FOUND', `there is no repository ${name}`)
      const tags = await records.write(async (tx) => {
        const again = await putBack(tx, repository, digest, now() - parts.graceMs, actor.principal, now())
        const subject = `${name}@${digest}`
        await recordAudit(tx, { ...actor, at: now(), action: 'manifest.restore', subject, result: 'done', detail: { tags: again } })
        return again
      })
      parts.onRestored()
      return { repository: name, digest, tags }
    },
  }

  async function underWay(): Promise<LazaretError> {
    const [run] = await listRuns(records, 1)
    const which = run === undefined ? '' : ` (${run.id}, begun by ${run.startedBy} at ${new Date(run.startedAt).toISOString()})`
    return new LazaretError('CONFLICT', `another collection is under way${which}: try again when it has ended`)
  }
}
