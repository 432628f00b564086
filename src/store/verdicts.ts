import { EventEmitter } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import type { Verdict } from '../model/verdict.ts'
import type { Records, Tx } from './records/records.ts'

/** How often a verdict made by another node is looked for. */
const pollMs = 250

/** Tells those who wait that a verdict stands. In: ids of repository and manifest. */
export interface VerdictWaiters {
  announce(repositoryId: number, manifestId: number): void
  /** Out: how many wait at this moment. */
  waiting(): number
  /** Ends when `look` gives something, at the deadline (ms since 1970), or when the signal does: then undefined. */
  waitFor<T>(
    repositoryId: number,
    manifestId: number,
    look: () => Promise<T | undefined>,
    until: number,
    signal?: AbortSignal,
  ): Promise<T | undefined>
}

export function createVerdictWaiters(now: () => number = Date.now): VerdictWaiters {
  const events = new EventEmitter().setMaxListeners(0)
  const key = (repositoryId: number, manifestId: number) => `${repositoryId}/${manifestId}`

  async function nextTurn(name: string, ms: number, signal: AbortSignal | undefined): Promise<void> {
    const turn = new AbortController()
    const wake = () => turn.abort()
    events.once(name, wake)
    signal?.addEventListener('abort', wake, { once: true })
    try {
      await sleep(ms, undefined, { signal: turn.signal })
    } catch (error) {
      if (!turn.signal.aborted) throw error // woken: by the verdict, or by the client that hung up
    } finally {
      events.off(name, wake)
      signal?.removeEventListener('abort', wake)
    }
  }

  return {
    waiting: () => events.eventNames().reduce((sum, name) => sum + events.listenerCount(name), 0),
    announce: (repositoryId, manifestId) => void events.emit(key(repositoryId, manifestId)),
    async waitFor(repositoryId, manifestId, look, until, signal) {
      const name = key(repositoryId, manifestId)
      for (;;) {
        const found = await look()
        const left = until - now()
        if (found !== undefined || left <= 0 || signal?.aborted === true) return found
        await nextTurn(name, Math.min(pollMs, left), signal)
      }
    },
  }
}

/**
 * Stores how a manifest stands in a repository; the one before is replaced, and where it was another decision, the history says so.
 * In: the change of advisories that it is made for, where it is.
 */
export async function putVerdict(tx: Tx, repositoryId: number, manifestId: number, verdict: Verdict, change?: number): Promise<void> {
  await recordMove(tx, repositoryId, manifestId, verdict, change)
  const row = {
    decision: verdict.decision,
    policy: verdict.policy,
    policy_revision: verdict.policyRevision,
    evidence_revision: verdict.evidenceRevision,
    judged_at: Date.parse(verdict.judgedAt),
    valid_until: verdict.validUntil === undefined ? null : Date.parse(verdict.validUntil),
    reasons: JSON.stringify(verdict.reasons),
    stale: verdict.reasons.some(({ rule }) => rule === 'stale') ? 1 : 0,
  }
  await tx
    .insertInto('verdicts')
    .values({ repository_id: repositoryId, manifest_id: manifestId, ...row })
    .onConflict((conflict) => conflict.columns(['repository_id', 'manifest_id']).doUpdateSet(row))
    .execute()
}

/** From one decision to another, by the digest: the manifest may be gone one day. A first verdict is no move. */
async function recordMove(tx: Tx, repositoryId: number, manifestId: number, verdict: Verdict, change: number | undefined): Promise<void> {
  const [reason] = verdict.reasons
  await sql`insert into verdict_moves (repository_id, digest, from_decision, to_decision, moved_at, change_id, reason)
    select v.repository_id, m.digest, v.decision, ${verdict.decision}, ${Date.parse(verdict.judgedAt)}, ${change ?? null}, ${reason?.message ?? null}
    from verdicts v join manifests m on m.id = v.manifest_id
    where v.repository_id = ${repositoryId} and v.manifest_id = ${manifestId} and v.decision <> ${verdict.decision} and v.decision <> 'pending'`.execute(
    tx,
  )
}

/** Out: the stored verdict, undefined where there is none. */
export async function getVerdict(records: Records, repositoryId: number, manifestId: number): Promise<Verdict | undefined> {
  const row = await records.read
    .selectFrom('verdicts')
    .selectAll()
    .where('repository_id', '=', repositoryId)
    .where('manifest_id', '=', manifestId)
    .executeTakeFirst()
  if (row === undefined) return undefined
  return {
    decision: row.decision as Verdict['decision'],
    policy: row.policy,
    policyRevision: row.policy_revision,
    evidenceRevision: row.evidence_revision,
    judgedAt: new Date(row.judged_at).toISOString(),
    ...(row.valid_until === null ? {} : { validUntil: new Date(row.valid_until).toISOString() }),
    reasons: JSON.parse(row.reasons) as Verdict['reasons'],
  }
}
