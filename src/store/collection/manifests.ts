import { sql } from 'kysely'
import { skippingHeld } from '../records/locks.ts'
import type { Tx } from '../records/records.ts'
import type { CollectionParts } from './parts.ts'

const atOnce = 20
const mostForgotten = 200
/** An image has up to some ten thousand package rows: they go in pieces, and others have their turn between. */
const rowsAtOnce = 1000

/** What was deleted can no longer be put back. */
export async function forgetDeleted({ records }: CollectionParts, cutoff: number): Promise<{ more: boolean }> {
  return records.write(async (tx) => {
    const gone = await sql`delete from deleted_manifests where (repository_id, manifest_id) in
      (select repository_id, manifest_id from deleted_manifests where deleted_at <= ${cutoff} limit ${mostForgotten})`.execute(tx)
    return { more: gone.numAffectedRows === BigInt(mostForgotten) }
  })
}

/** Takes manifests that no repository holds, with what is known of them. */
export async function collectManifests({ records }: CollectionParts, cutoff: number): Promise<{ manifests: number; more: boolean }> {
  return records.write(async (tx) => {
    const { rows } = await sql<{ id: number }>`select m.id as id from manifests m where m.unlinked_at <= ${cutoff}
      order by m.unlinked_at limit ${atOnce} ${skippingHeld(tx, 'm')}`.execute(tx)
    if (rows.length === 0) return { manifests: 0, more: false }
    const ids = rows.map((row) => row.id)
    const needed = await neededOf(tx, ids)
    if (needed.length > 0) await tx.updateTable('manifests').set({ unlinked_at: null }).where('id', 'in', needed).execute()
    const dead = ids.filter((id) => !needed.includes(id))
    for (const id of dead) await remove(tx, id)
    return { manifests: dead.length, more: rows.length === atOnce }
  })
}

/** Held again: whoever takes it out there writes down when. */
async function neededOf(tx: Tx, ids: number[]): Promise<number[]> {
  const linked = await tx.selectFrom('manifest_links').select('manifest_id').distinct().where('manifest_id', 'in', ids).execute()
  return linked.map((row) => row.manifest_id)
}

async function remove(tx: Tx, id: number): Promise<void> {
  for (let more = true; more; ) {
    const { rows } = await sql<{ position: number; version: number | null }>`select position, package_version_id as version
      from image_packages where manifest_id = ${id} limit ${rowsAtOnce}`.execute(tx)
    if (rows.length > 0) {
      const positions = rows.map((row) => row.position)
      await tx.deleteFrom('image_packages').where('manifest_id', '=', id).where('position', 'in', positions).execute()
      await forgetVersions(tx, [...new Set(rows.flatMap((row) => row.version ?? []))])
    }
    more = rows.length === rowsAtOnce
  }
  await tx.deleteFrom('manifests').where('id', '=', id).execute()
}

/** Package versions that no image holds any more, with their findings; those that an examination is about to use are passed over. */
async function forgetVersions(tx: Tx, ids: number[]): Promise<void> {
  if (ids.length === 0) return
  const unused = sql`not exists (select 1 from image_packages i where i.package_version_id = v.id)`
  const { rows } = await sql<{ id: number }>`select v.id as id from package_versions v
    where v.id in (${sql.join(ids)}) and ${unused} ${skippingHeld(tx, 'v')}`.execute(tx)
  if (rows.length === 0) return
  await tx
    .deleteFrom('package_versions')
    .where(
      'id',
      'in',
      rows.map((row) => row.id),
    )
    .where((of) =>
      of.not(
        of.exists(of.selectFrom('image_packages as i').select('i.position').whereRef('i.package_version_id', '=', 'package_versions.id')),
      ),
    )
    .execute()
}
