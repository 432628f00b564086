import { sql } from 'kysely'
import type { Digest } from '../model/digest.ts'
import type { Records } from './records/records.ts'

/** A manifest that went out, or, by HEAD, would have: a node asks so before it starts what it has already. */
export interface Pull {
  repositoryId: number
  manifestId: number
  digest: Digest
  /** By which tag it was asked for. */
  tag?: string
  principal: string
  address: string
  sent: boolean
}

export interface PullRow {
  /** undefined: by digest alone. */
  tag?: string
  principal: string
  address: string
  count: number
  /** Milliseconds since 1970, as is `lastAt`. */
  firstAt: number
  lastAt: number
}

/**
 * Who pulled what. A pull is noted in memory and written with others some seconds later: none waits for it, and a crash loses what
 * was not written yet. Whoever opens it calls `flush` at times, and at the end.
 */
export interface PullRecords {
  /** Never throws, never waits. */
  note(pull: Pull): void
  /** Writes what was noted. What can't be written is kept for the next time. */
  flush(): Promise<void>
  /** How many were left out since the last call, as there was no room for more. */
  takeDropped(): number
}

interface Noted extends Pull {
  count: number
  firstAt: number
  lastAt: number
}

export interface PullBounds {
  /** From here on a pull's address is no longer told apart. */
  mostTold: number
  /** From here on a pull of anything new is left out. */
  most: number
}

/** A client asks by tag with HEAD, and fetches by the digest that it was told: that is one pull, by tag. */
const askedMs = 60_000
const mostAsked = 10_000
/** Changes of others come between two batches. */
const rowsInBatch = 100
const severalAddresses = 'several'

export function createPullRecords(
  records: Records,
  now: () => number,
  bounds: PullBounds = { mostTold: 10_000, most: 20_000 },
): PullRecords {
  let noted = new Map<string, Noted>()
  const asked = new Map<string, { tag: string; until: number }>()
  let writing = Promise.resolve()
  let dropped = 0

  function note(pull: Pull): void {
    const at = now()
    const tag = pull.tag ?? (pull.sent ? takeAsked(pull, at) : undefined)
    if (!pull.sent && tag !== undefined) rememberAsked(pull, tag, at)
    add({ ...pull, tag: tag ?? '', count: pull.sent ? 1 : 0, firstAt: at, lastAt: at })
  }

  function rememberAsked(pull: Pull, tag: string, at: number): void {
    const key = askedKey(pull)
    asked.delete(key)
    if (asked.size >= mostAsked) asked.delete(asked.keys().next().value ?? '')
    asked.set(key, { tag, until: at + askedMs })
  }

  function takeAsked(pull: Pull, at: number): string | undefined {
    const key = askedKey(pull)
    const known = asked.get(key)
    asked.delete(key)
    return known !== undefined && at < known.until ? known.tag : undefined
  }

  function add(one: Noted): void {
    const known = noted.get(keyOf(one))
    if (known !== undefined) merge(known, one)
    else if (noted.size < bounds.mostTold) noted.set(keyOf(one), one)
    else addWithoutAddress({ ...one, address: severalAddresses })
  }

  function addWithoutAddress(one: Noted): void {
    const known = noted.get(keyOf(one))
    if (known !== undefined) merge(known, one)
    else if (noted.size < bounds.most) noted.set(keyOf(one), one)
    else dropped++
  }

  async function write(): Promise<void> {
    const all = [...noted.values()].toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1)) // in one order by all nodes
    noted = new Map()
    for (let at = 0; at < all.length; at += rowsInBatch) {
      try {
        await writeBatch(records, all.slice(at, at + rowsInBatch))
      } catch (error) {
        for (const one of all.slice(at)) add(one)
        throw error
      }
    }
  }

  return {
    note,
    flush() {
      const mine = writing.then(write)
      writing = mine.catch(() => undefined) // whoever asked for it is told
      return mine
    },
    takeDropped() {
      const count = dropped
      dropped = 0
      return count
    },
  }
}

function keyOf(pull: Pick<Pull, 'repositoryId' | 'digest' | 'tag' | 'principal' | 'address'>): string {
  return `${pull.repositoryId} ${pull.digest} ${pull.tag ?? ''} ${pull.principal} ${pull.address}`
}

function askedKey(pull: Pull): string {
  return `${pull.repositoryId} ${pull.digest} ${pull.principal} ${pull.address}`
}

function merge(known: Noted, more: Noted): void {
  known.count += more.count
  known.firstAt = Math.min(known.firstAt, more.firstAt)
  known.lastAt = Math.max(known.lastAt, more.lastAt)
}

async function writeBatch(records: Records, batch: readonly Noted[]): Promise<void> {
  const rows = batch.map((one) => ({
    repository_id: one.repositoryId,
    digest: one.digest,
    tag: one.tag ?? '',
    principal: one.principal,
    address: one.address.slice(0, 64),
    count: one.count,
    first_at: one.firstAt,
    last_at: one.lastAt,
  }))
  await records.write(async (tx) => {
    await tx
      .insertInto('pulls')
      .values(rows)
      .onConflict((conflict) =>
        conflict.columns(['repository_id', 'digest', 'tag', 'principal', 'address']).doUpdateSet({
          count: sql`pulls.count + excluded.count`,
          last_at: sql`case when excluded.last_at > pulls.last_at then excluded.last_at else pulls.last_at end`,
        }),
      )
      .execute()
    for (const [, { repositoryId, manifestId, lastAt }] of newestOf(batch))
      await sql`update manifest_links set pulled_at = ${lastAt} where repository_id = ${repositoryId} and manifest_id = ${manifestId}
        and (pulled_at is null or pulled_at < ${lastAt})`.execute(tx)
  })
}

/** The newest of each manifest. */
function newestOf(batch: readonly Noted[]): Map<string, Noted> {
  const newest = new Map<string, Noted>()
  for (const one of batch) {
    const key = `${one.repositoryId} ${one.manifestId}`
    if ((newest.get(key)?.lastAt ?? -1) < one.lastAt) newest.set(key, one)
  }
  return newest
}

export interface PullCursor {
  lastAt: number
  tag: string
  principal: string
  address: string
}

/** Out: who pulled a manifest, the newest first. */
export async function pullsOf(
  records: Records,
  of: { repositoryId: number; digest: Digest },
  page: { after?: PullCursor; limit: number },
): Promise<PullRow[]> {
  const { after } = page
  const rows = await records.read
    .selectFrom('pulls')
    .select(['tag', 'principal', 'address', 'count', 'first_at', 'last_at'])
    .where('repository_id', '=', of.repositoryId)
    .where('digest', '=', of.digest)
    .$if(after !== undefined, (some) =>
      some.where(
        sql<boolean>`(last_at < ${after?.lastAt} or (last_at = ${after?.lastAt}
          and (tag, principal, address) > (${after?.tag}, ${after?.principal}, ${after?.address})))`,
      ),
    )
    .orderBy('last_at', 'desc')
    .orderBy('tag')
    .orderBy('principal')
    .orderBy('address')
    .limit(page.limit)
    .execute()
  return rows.map((row) => ({
    ...(row.tag === '' ? {} : { tag: row.tag }),
    principal: row.principal,
    address: row.address,
    count: row.count,
    firstAt: row.first_at,
    lastAt: row.last_at,
  }))
}

/** What nobody pulled for so long tells nothing any more. Out: how many rows went. */
export async function forgetPulls(records: Records, before: number): Promise<number> {
  const gone = await records.write((tx) => tx.deleteFrom('pulls').where('last_at', '<', before).executeTakeFirst())
  return Number(gone.numDeletedRows)
}
