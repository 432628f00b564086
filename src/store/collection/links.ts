import { sql } from 'kysely'
import { skippingHeld } from '../records/locks.ts'
import type { Tx } from '../records/records.ts'
import type { CollectionParts } from './parts.ts'

const atOnce = 50

interface Row {
  repositoryId: number
  blobId: number
}

/**
 * Takes links that no manifest needs, and marks the others as seen. A push that relies on a link holds its row until its manifest
 * is recorded: such rows are passed over, and met by the next collection.
 */
export async function collectLinks({ records }: CollectionParts, cutoff: number): Promise<{ links: number; more: boolean }> {
  return records.write(async (tx) => {
    const { rows } = await sql<Row>`select l.repository_id as "repositoryId", l.blob_id as "blobId" from blob_links l
      where l.checked = 0 and l.linked_at <= ${cutoff} order by l.linked_at limit ${atOnce} ${skippingHeld(tx, 'l')}`.execute(tx)
    let links = 0
    for (const [repositoryId, some] of Map.groupBy(rows, (row) => row.repositoryId)) {
      const ids = some.map((row) => row.blobId)
      const held = await heldOf(tx, repositoryId, ids)
      links += await unlinkAll(
        tx,
        repositoryId,
        ids.filter((id) => !held.has(id)),
        cutoff,
      )
      await markSeen(tx, repositoryId, [...held])
    }
    return { links, more: rows.length === atOnce }
  })
}

async function heldOf(tx: Tx, repositoryId: number, blobIds: number[]): Promise<Set<number>> {
  const rows = await tx
    .selectFrom('blobs as b')
    .select('b.id')
    .where('b.id', 'in', blobIds)
    .where((of) =>
      of.exists(
        of
          .selectFrom('blob_holders as h')
          .select('h.manifest_id')
          .where('h.repository_id', '=', repositoryId)
          .whereRef('h.blob_digest', '=', 'b.digest'),
      ),
    )
    .execute()
  return new Set(rows.map((row) => row.id))
}

/** Nobody could ask for the blob through this link for longer than the grace: that counts for the blob too. */
async function unlinkAll(tx: Tx, repositoryId: number, blobIds: number[], cutoff: number): Promise<number> {
  if (blobIds.length === 0) return 0
  await tx.deleteFrom('blob_links').where('repository_id', '=', repositoryId).where('blob_id', 'in', blobIds).execute()
  await tx
    .updateTable('blobs')
    .set({ unlinked_at: sql`case when unlinked_at > ${cutoff} then unlinked_at else ${cutoff} end` })
    .where('id', 'in', blobIds)
    .execute()
  return blobIds.length
}

async function markSeen(tx: Tx, repositoryId: number, blobIds: number[]): Promise<void> {
  if (blobIds.length === 0) return
  await tx.updateTable('blob_links').set({ checked: 1 }).where('repository_id', '=', repositoryId).where('blob_id', 'in', blobIds).execute()
}
