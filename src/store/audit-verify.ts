import { chainEnds, chainPage, genesis, linkHash, rowsAfter, type ChainedRow, type ChainEnds, type Link } from './audit-chain.ts'
import type { Records } from './records/records.ts'

/** The first place where the chain does not hold. */
export interface BrokenLink {
  /** The row where it shows. */
  id: number
  what: 'changed' | 'missing' | 'reordered'
  /** For people, in one line. */
  message: string
}

export interface AuditVerification {
  /** How many rows were found whole. */
  rows: number
  /** The newest row that the chain knows; kept elsewhere, it shows later whether all was made anew. */
  head: Link
  /** The last row that was cut away by age. */
  anchor?: Link
  broken?: BrokenLink
}

const mostTries = 5

/**
 * Reads the audit log from its oldest row to the head that stands when it begins, page by page, while others write.
 * In: a link that was kept elsewhere, where there is one. Out: how far the chain holds, and its first broken link.
 */
export async function verifyAudit(records: Records, kept?: Link): Promise<AuditVerification> {
  for (let tries = 1; ; tries++) {
    const ends = await chainEnds(records.read)
    const found = await walk(records, ends, kept)
    const anchorNow = (await chainEnds(records.read))?.anchor.id
    // What was cut away by age meanwhile looks missing, and is not.
    if (found.broken === undefined || anchorNow === ends?.anchor.id || tries === mostTries) return found
  }
}

async function walk(records: Records, ends: ChainEnds | undefined, kept: Link | undefined): Promise<AuditVerification> {
  const { anchor, head } = ends ?? { anchor: { id: 0, hash: genesis }, head: { id: 0, hash: genesis } }
  const said = { head, ...(anchor.id === 0 ? {} : { anchor }) }
  let last = anchor
  let count = 0
  for (let more = true; more; ) {
    const rows = await rowsAfter(records.read, last.id)
    more = rows.length === chainPage
    for (const row of rows) {
      if (row.id > head.id && ends !== undefined && (await isAppended(records, row.id))) {
        more = false
        break
      }
      const broken = (await brokenAt(records, last, row)) ?? notAsKept(row, kept)
      if (broken !== undefined) return { rows: count, ...said, broken }
      last = { id: row.id, hash: row.hash }
      count++
    }
  }
  const broken = brokenEnd(last, head, kept)
  return { rows: count, ...said, ...(broken === undefined ? {} : { broken }) }
}

/** Written since the walk began: the head has moved to it, or past it. */
async function isAppended(records: Records, id: number): Promise<boolean> {
  return ((await chainEnds(records.read))?.head.id ?? 0) >= id
}

async function brokenAt(records: Records, last: Link, row: ChainedRow): Promise<BrokenLink | undefined> {
  if (linkHash(row.previous, row) !== row.hash) return { id: row.id, what: 'changed', message: `row ${row.id} was changed` }
  if (row.previous === last.hash) return undefined
  const before = await records.read.selectFrom('audit_log').select('id').where('hash', '=', row.previous).executeTakeFirst()
  if (before === undefined) return { id: row.id, what: 'missing', message: `rows are missing between ${nameOf(last)} and row ${row.id}` }
  const where = `row ${row.id} was written after row ${before.id}, and stands after ${nameOf(last)}`
  return { id: row.id, what: 'reordered', message: `${where}: rows were put in between, or into another order` }
}

function notAsKept(row: ChainedRow, kept: Link | undefined): BrokenLink | undefined {
  if (kept === undefined || kept.id !== row.id || kept.hash === row.hash) return undefined
  return { id: row.id, what: 'changed', message: `row ${row.id} is not the one that you kept: the chain was made anew` }
}

function brokenEnd(last: Link, head: Link, kept: Link | undefined): BrokenLink | undefined {
  if (last.id < head.id) return { id: head.id, what: 'missing', message: `rows after ${nameOf(last)} are missing, up to row ${head.id}` }
  if (last.id > head.id || last.hash !== head.hash)
    return { id: last.id, what: 'changed', message: `row ${last.id} is the last, and the chain knows it otherwise` }
  if (kept !== undefined && kept.id > last.id)
    return { id: kept.id, what: 'missing', message: `rows after ${nameOf(last)} are missing, up to row ${kept.id}, which you kept` }
  return undefined
}

function nameOf(link: Link): string {
  return link.id === 0 ? 'the beginning' : `row ${link.id}`
}
