import { sql } from 'kysely'
import { skippingHeld } from '../records/locks.ts'
import type { Tx } from '../records/records.ts'
import type { CollectionParts } from './parts.ts'

const atOnce = 50

interface Row {
  id: number
  digest: string
  size: number
  objectKey: string
}

/**
 * Takes blobs that no repository links, with what was found in them; their objects are dead from then on. Whoever links a blob holds
 * its row: such rows are passed over, and met by the next collection.
 */
export async function collectBlobs({ records, now }: CollectionParts, cutoff: number): Promise<{ blobs: number; more: boolean }> {
  return records.write(async (tx) => {
    const { rows } = await sql<Row>`select b.id as id, b.digest as digest, b.size as size, b.object_key as "objectKey" from blobs b
      where b.unlinked_at <= ${cutoff} order by b.unlinked_at limit ${atOnce} ${skippingHeld(tx, 'b')}`.execute(tx)
    if (rows.length === 0) return { blobs: 0, more: false }
    const linked = await linkedOf(tx, rows)
    if (linked.size > 0)
      await tx
        .updateTable('blobs')
        .set({ unlinked_at: null })
        .where('id', 'in', [...linked])
        .execute()
    const dead = rows.filter((row) => !linked.has(row.id))
    if (dead.length > 0) await remove(tx, dead, now())
    return { blobs: dead.length, more: rows.length === atOnce }
  })
}

async function linkedOf(tx: Tx, rows: Row[]): Promise<Set<number>> {
  const ids = rows.map((row) => row.id)
  const linked = await tx.selectFrom('blob_links').select('blob_id').distinct().where('blob_id', 'in', ids).execute()
  return new Set(linked.map((row) => row.blob_id))
}

async function remove(tx: Tx, dead: Row[], now: number): Promise<void> {
  await tx
    .insertInto('dead_objects')
    .values(dead.map((row) => ({ object_key: row.objectKey, size: row.size, died_at: now })))
    .onConflict((conflict) => conflict.column('object_key').doNothing())
    .execute()
  const digests = dead.map((row) => row.digest)
  const read = await tx.selectFrom('blob_layers').select('diff_id').where('blob_digest', 'in', digests).execute()
  await tx.deleteFrom('blob_layers').where('blob_digest', 'in', digests).execute()
  await forgetLayers(
    tx,
    read.flatMap((row) => row.diff_id ?? []),
  )
  const ids = dead.map((row) => row.id)
  await tx.deleteFrom('blobs').where('id', 'in', ids).execute()
}

/** Facts of a layer stay while another blob, in another compression, holds the same. */
async function forgetLayers(tx: Tx, diffIds: string[]): Promise<void> {
  if (diffIds.length === 0) return
  await tx
    .deleteFrom('layers')
    .where('diff_id', 'in', diffIds)
    .where((of) =>
      of.not(of.exists(of.selectFrom('blob_layers as b').select('b.blob_digest').whereRef('b.diff_id', '=', 'layers.diff_id'))),
    )
    .execute()
}
