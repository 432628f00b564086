import type { Digest } from '../../model/digest.ts'
import { recordAudit, systemActor } from '../audit.ts'
import { addJob, priorities } from '../jobs/jobs.ts'
import type { Records, Tx } from '../records/records.ts'

export interface DamagedBlob {
  digest: Digest
  sizeBytes: number
  damagedAt: number
  /** What is wrong with it, in a line. */
  damage: string
  /** How many manifests hold it. */
  manifests: number
}

/**
 * A blob whose bytes are not its digest's is held back from here on, and what holds it is judged anew.
 * In: the object that was read. Out: false where another has taken its place meanwhile, or it is known already.
 */
export async function markDamaged(
  tx: Tx,
  blob: { id: number; digest: string; objectKey: string },
  damage: string,
  now: number,
): Promise<boolean> {
  const marked = await tx
    .updateTable('blobs')
    .set({ damaged_at: now, damage: damage.slice(0, 500) })
    .where('id', '=', blob.id)
    .where('object_key', '=', blob.objectKey)
    .where('damaged_at', 'is', null)
    .executeTakeFirst()
  if (marked.numUpdatedRows === 0n) return false
  await judgeHoldersAnew(tx, blob.digest, now)
  await recordAudit(tx, { ...systemActor, at: now, action: 'blob.damaged', subject: blob.digest, result: 'done', detail: { damage } })
  return true
}

/** Whole bytes take the place of damaged ones, whose object is left to the collection. In: what stands, and what came. */
export async function healBlob(
  tx: Tx,
  stands: { id: number; digest: Digest; objectKey: string; sizeBytes: number },
  whole: { objectKey: string },
  now: number,
): Promise<void> {
  const healed = await tx
    .updateTable('blobs')
    .set({ object_key: whole.objectKey, damaged_at: null, damage: null, verified_at: now })
    .where('id', '=', stands.id)
    .where('object_key', '=', stands.objectKey)
    .executeTakeFirst()
  if (healed.numUpdatedRows === 0n) return
  await tx
    .insertInto('dead_objects')
    .values({ object_key: stands.objectKey, size: stands.sizeBytes, died_at: now })
    .onConflict((conflict) => conflict.column('object_key').doNothing())
    .execute()
  await judgeHoldersAnew(tx, stands.digest, now)
  await recordAudit(tx, { ...systemActor, at: now, action: 'blob.healed', subject: stands.digest, result: 'done' })
}

async function judgeHoldersAnew(tx: Tx, digest: string, now: number): Promise<void> {
  const holders = await tx
    .selectFrom('manifest_blobs as b')
    .innerJoin('manifests as m', 'm.id', 'b.manifest_id')
    .select('m.digest')
    .distinct()
    .where('b.blob_digest', '=', digest)
    .execute()
  for (const holder of holders) await addJob(tx, 'rejudge', holder.digest, now, priorities.asked)
}

/** Out: what of a manifest's blobs is damaged, a line each; the first 20. */
export async function damageOf(tx: Tx, manifestId: number): Promise<string[]> {
  const rows = await tx
    .selectFrom('manifest_blobs as m')
    .innerJoin('blobs as b', 'b.digest', 'm.blob_digest')
    .select(['b.digest', 'b.damage'])
    .distinct()
    .where('m.manifest_id', '=', manifestId)
    .where('b.damaged_at', 'is not', null)
    .limit(20)
    .execute()
  return rows.map((row) => `${row.digest}: ${row.damage ?? 'its bytes are not its digest’s'}`)
}

/** Out: what is damaged now, the newest blob first. */
export async function listDamaged(records: Records, most: number): Promise<DamagedBlob[]> {
  const rows = await records.read
    .selectFrom('blobs')
    .select(['digest', 'size', 'damaged_at', 'damage'])
    .select((of) =>
      of
        .selectFrom('manifest_blobs')
        .whereRef('manifest_blobs.blob_digest', '=', 'blobs.digest')
        .select((count) => count.fn.count<number>('manifest_id').distinct().as('manifests'))
        .as('manifests'),
    )
    .where('damaged_at', 'is not', null)
    .orderBy('id', 'desc')
    .limit(most)
    .execute()
  return rows.map((row) => ({
    digest: row.digest as Digest,
    sizeBytes: row.size,
    damagedAt: row.damaged_at ?? 0,
    damage: row.damage ?? '',
    manifests: Number(row.manifests ?? 0),
  }))
}
