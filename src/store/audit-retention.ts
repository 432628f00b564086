import { LazaretError } from '../kit/errors.ts'
import { recordAudit, systemActor } from './audit.ts'
import { holdChain, linkHash, moveAnchor, rowsAfter, type ChainedRow, type Link } from './audit-chain.ts'
import type { Records, Tx } from './records/records.ts'

/**
 * Cuts the oldest part of the audit log away: the rows up to the first that is not older than `before` (ms since 1970). Their last
 * hash stays as the chain's anchor. Ends early where `signal` says so. Out: how many rows went, which is itself a row of the log.
 * Throws LazaretError INTERNAL, and leaves the rest, where a row does not hold in the chain: cutting would hide it.
 */
export async function cutAudit(records: Records, before: number, now: number, signal?: AbortSignal): Promise<number> {
  let gone = 0
  while (signal?.aborted !== true) {
    const step = await records.write((tx) => cutPage(tx, before))
    gone += step.rows
    if (!step.more) break
  }
  if (gone > 0) {
    const detail = { rows: gone, before: new Date(before).toISOString() }
    await records.write((tx) =>
      recordAudit(tx, { ...systemActor, action: 'audit.cut', subject: 'audit-log', result: 'done', detail, at: now }),
    )
  }
  return gone
}

async function cutPage(tx: Tx, before: number): Promise<{ rows: number; more: boolean }> {
  const { anchor } = await holdChain(tx)
  const page = await rowsAfter(tx, anchor.id)
  const young = page.findIndex((row) => row.at >= before)
  const old = young < 0 ? page : page.slice(0, young)
  const last = old.at(-1)
  if (last === undefined) return { rows: 0, more: false }
  requireWhole(anchor, old)
  await tx.deleteFrom('audit_log').where('id', '>', anchor.id).where('id', '<=', last.id).execute()
  await moveAnchor(tx, { id: last.id, hash: last.hash })
  return { rows: old.length, more: young < 0 }
}

function requireWhole(anchor: Link, rows: ChainedRow[]): void {
  let previous = anchor.hash
  for (const row of rows) {
    if (row.previous !== previous || linkHash(previous, row) !== row.hash)
      throw new LazaretError('INTERNAL', `the audit log does not hold at row ${row.id}, so it is not cut: lazaret audit verify`)
    previous = row.hash
  }
}
