// Up to which revision of the advisories the evidence of all images is right, and which images have to be looked at for it. Evidence
// that no change touched is right without having been read or written: what it costs goes by the change, and not by the images.
import { sql } from 'kysely'
import { locksRows } from './records/locks.ts'
import type { Records, Tx } from './records/records.ts'

export interface Estate {
  /** Absent: nothing is known yet. */
  revision?: string
  /** What it is being brought to. */
  moving?: string
}

/** An image that has to be looked at. */
export interface Rematch {
  manifestId: number
  /** The evidence was right by this revision. */
  since: string
  dated: boolean
  changeId: number
}

const row = 1

export async function estateOf(db: Records['read']): Promise<Estate> {
  const found = await db.selectFrom('advisory_estate').select(['revision', 'moving']).where('id', '=', row).executeTakeFirst()
  return {
    ...(typeof found?.revision === 'string' ? { revision: found.revision } : {}),
    ...(typeof found?.moving === 'string' ? { moving: found.moving } : {}),
  }
}

/** The same, and nobody moves it on before this transaction has ended. */
export async function heldEstate(tx: Tx): Promise<Estate> {
  if (locksRows(tx)) await sql`select 1 from advisory_estate where id = ${row} for share`.execute(tx)
  return estateOf(tx)
}

/** Evidence that is kept from now on by other advisories than those is looked at again. Waits for those who keep some at this moment. */
export async function moveEstate(tx: Tx, moving: string): Promise<void> {
  await sql`insert into advisory_estate (id, revision, moving) values (${row}, null, ${moving})
    on conflict (id) do update set moving = excluded.moving`.execute(tx)
}

/** All that the change touches is queued. Out: false where it is being brought to another revision by now. */
export async function settleEstate(tx: Tx, revision: string): Promise<boolean> {
  const settled = await tx
    .updateTable('advisory_estate')
    .set({ revision, moving: null })
    .where('id', '=', row)
    .where('moving', '=', revision)
    .executeTakeFirst()
  return settled.numUpdatedRows === 1n
}

/** In: `since` of one that waits already stays: it is the older. What is in use goes first. */
export async function addRematches(
  tx: Tx,
  manifestIds: readonly number[],
  about: { since: string; whole?: boolean; dated?: boolean; changeId: number; inUseSince: number },
): Promise<void> {
  if (manifestIds.length === 0) return
  const [whole, dated] = [about.whole === true ? 1 : 0, about.dated === true ? 1 : 0]
  await sql`insert into rematches (manifest_id, since, whole, dated, rank, change_id)
    select m.id, ${about.since}, ${sql.raw(String(whole))}, ${sql.raw(String(dated))},
      case when exists (select 1 from manifest_links l where l.manifest_id = m.id and l.pulled_at >= ${about.inUseSince}) then 0 else 1 end,
      ${sql.raw(String(about.changeId))}
    from manifests m where m.id in (${sql.join([...manifestIds])})
    on conflict (manifest_id) do update set change_id = excluded.change_id,
      whole = case when excluded.whole > rematches.whole then excluded.whole else rematches.whole end,
      dated = case when excluded.dated > rematches.dated then excluded.dated else rematches.dated end`.execute(tx)
}

/** Out: the change for which an image waits to be looked at. */
export async function rematchDue(db: Records['read'], manifestId: number): Promise<{ changeId: number } | undefined> {
  const found = await db.selectFrom('rematches').select('change_id').where('manifest_id', '=', manifestId).executeTakeFirst()
  return found === undefined ? undefined : { changeId: found.change_id }
}

export async function dropRematches(tx: Tx, manifestIds: readonly number[]): Promise<void> {
  if (manifestIds.length > 0)
    await tx
      .deleteFrom('rematches')
      .where('manifest_id', 'in', [...manifestIds])
      .execute()
}
