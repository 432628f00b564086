// What came with a revision of the advisories and what it did, to be read by people.
import { sql } from 'kysely'
import type { Records, Tx } from './records/records.ts'

/** How much came. `all`: it was not made from the one before, so that everything may be another. */
export interface Came {
  all?: boolean
  added?: number
  changed?: number
  withdrawn?: number
  flaws?: number
  packages?: number
  covered?: string[]
  dated?: boolean
  artifacts?: boolean
}

export interface AdvisoryChange {
  id: number
  from?: string
  to: string
  state: 'running' | 'done'
  noticedAt: number
  endedAt?: number
  came: Came
  /** Package versions that were matched again, and those that came to something else. */
  versions: { matched: number; moved: number }
  /** Images that were looked at, those whose evidence moved, and those that still wait. */
  images: { looked: number; moved: number; waiting: number }
  verdicts: { toDeny: number; toAllow: number; other: number }
}

/** Out: the id of the change to that revision, made where there is none. */
export async function changeOf(
  tx: Tx,
  { from, to, came, now }: { from: string | undefined; to: string; came: Came | undefined; now: number },
): Promise<number> {
  const known = await tx
    .selectFrom('advisory_changes')
    .select('id')
    .where('to_revision', '=', to)
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst()
  if (known !== undefined) return known.id
  const row = {
    from_revision: from ?? null,
    to_revision: to,
    state: 'running',
    noticed_at: now,
    ended_at: null,
    came: JSON.stringify(came ?? {}),
  }
  return (await tx.insertInto('advisory_changes').values(row).returning('id').executeTakeFirstOrThrow()).id
}

export async function countVersions(tx: Tx, id: number, counts: { versions: number; moved: number }): Promise<void> {
  await tx.updateTable('advisory_changes').set({ versions: counts.versions, versions_moved: counts.moved }).where('id', '=', id).execute()
}

export async function countImages(tx: Tx, id: number, counts: { images: number; moved: number }): Promise<void> {
  await tx
    .updateTable('advisory_changes')
    .set((of) => ({ images: of('images', '+', counts.images), images_moved: of('images_moved', '+', counts.moved) }))
    .where('id', '=', id)
    .execute()
}

/** Those of which no image waits any more are done, once the estate is settled. */
export async function endChanges(tx: Tx, now: number): Promise<void> {
  await sql`update advisory_changes set state = 'done', ended_at = ${now} where state = 'running'
    and not exists (select 1 from rematches r where r.change_id = advisory_changes.id)
    and exists (select 1 from advisory_estate e where e.moving is null)`.execute(tx)
}

/** Out: a page, the newest first. */
export async function listChanges(records: Records, page: { before?: number; limit: number }): Promise<AdvisoryChange[]> {
  const rows = await records.read
    .selectFrom('advisory_changes')
    .selectAll()
    .$if(page.before !== undefined, (query) => query.where('id', '<', page.before ?? 0))
    .orderBy('id', 'desc')
    .limit(page.limit)
    .execute()
  const ids = rows.map(({ id }) => id)
  const [waiting, moves] = ids.length === 0 ? [new Map<number, number>(), []] : [await waitingOf(records, ids), await movesOf(records, ids)]
  return rows.map((row) => {
    const own = moves.filter((move) => move.change_id === row.id)
    const count = (wanted: (move: (typeof own)[number]) => boolean) => own.filter(wanted).reduce((sum, { n }) => sum + Number(n), 0)
    const toDeny = count(({ to_decision: to }) => to === 'deny')
    const toAllow = count(({ from_decision: from }) => from === 'deny')
    return {
      id: row.id,
      ...(row.from_revision === null ? {} : { from: row.from_revision }),
      to: row.to_revision,
      state: row.state as AdvisoryChange['state'],
      noticedAt: row.noticed_at,
      ...(row.ended_at === null ? {} : { endedAt: row.ended_at }),
      came: JSON.parse(row.came) as Came,
      versions: { matched: row.versions, moved: row.versions_moved },
      images: { looked: row.images, moved: row.images_moved, waiting: waiting.get(row.id) ?? 0 },
      verdicts: { toDeny, toAllow, other: count(() => true) - toDeny - toAllow },
    }
  })
}

async function waitingOf(records: Records, ids: number[]): Promise<Map<number, number>> {
  const rows = await records.read
    .selectFrom('rematches')
    .select(['change_id', (of) => of.fn.countAll<number>().as('n')])
    .where('change_id', 'in', ids)
    .groupBy('change_id')
    .execute()
  return new Map(rows.map((row) => [row.change_id, Number(row.n)]))
}

function movesOf(records: Records, ids: number[]) {
  return records.read
    .selectFrom('verdict_moves')
    .select(['change_id', 'from_decision', 'to_decision', (of) => of.fn.countAll<number>().as('n')])
    .where('change_id', 'in', ids)
    .groupBy(['change_id', 'from_decision', 'to_decision'])
    .execute()
}

export interface VerdictMove {
  id: number
  repository: string
  digest: string
  from: string
  to: string
  at: number
  reason?: string
  /** The change of advisories that did it. */
  change?: number
}

/** Out: a page of moves of verdicts, the newest first: those of one change, or of one image in one repository. */
export async function listMoves(
  records: Records,
  of: { change: number } | { repositoryId: number; digest: string },
  page: { before?: number; limit: number },
): Promise<VerdictMove[]> {
  const rows = await records.read
    .selectFrom('verdict_moves as v')
    .innerJoin('repositories as r', 'r.id', 'v.repository_id')
    .select(['v.id', 'r.name', 'v.digest', 'v.from_decision', 'v.to_decision', 'v.moved_at', 'v.reason', 'v.change_id'])
    .$if('change' in of, (query) => query.where('v.change_id', '=', 'change' in of ? of.change : 0))
    .$if('digest' in of, (query) =>
      query.where('v.repository_id', '=', 'digest' in of ? of.repositoryId : 0).where('v.digest', '=', 'digest' in of ? of.digest : ''),
    )
    .$if(page.before !== undefined, (query) => query.where('v.id', '<', page.before ?? 0))
    .orderBy('v.id', 'desc')
    .limit(page.limit)
    .execute()
  return rows.map((row) => ({
    id: row.id,
    repository: row.name,
    digest: row.digest,
    from: row.from_decision,
    to: row.to_decision,
    at: row.moved_at,
    ...(row.reason === null ? {} : { reason: row.reason }),
    ...(row.change_id === null ? {} : { change: row.change_id }),
  }))
}

export async function changeById(records: Records, id: number): Promise<{ from?: string; to: string } | undefined> {
  const row = await records.read
    .selectFrom('advisory_changes')
    .select(['from_revision', 'to_revision'])
    .where('id', '=', id)
    .executeTakeFirst()
  if (row === undefined) return undefined
  return { to: row.to_revision, ...(row.from_revision === null ? {} : { from: row.from_revision }) }
}

/** Moves of before that instant tell nothing any more. Out: how many went. */
export async function forgetMoves(records: Records, before: number): Promise<number> {
  const gone = await records.write((tx) => tx.deleteFrom('verdict_moves').where('moved_at', '<', before).executeTakeFirst())
  return Number(gone.numDeletedRows)
}
