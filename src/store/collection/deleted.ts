import { sql } from 'kysely'
import { LazaretError } from '../../kit/errors.ts'
import type { Digest } from '../../model/digest.ts'
import { addJob } from '../jobs/jobs.ts'
import { locksRows } from '../records/locks.ts'
import type { Records, Tx } from '../records/records.ts'
import { lockRepository, type Repository } from '../repositories.ts'
import { recordMoves } from '../tag-history.ts'

/** A manifest that was taken out of a repository, and can be put back. */
export interface DeletedManifest {
  repository: string
  digest: Digest
  /** Those that it had. */
  tags: string[]
  deletedAt: number
  deletedBy: string
}

interface Here {
  repository_id: number
  manifest_id: number
}

/**
 * Before a manifest is taken out: keeps what it takes to put it back, and lets its blobs stay as if they were pushed now.
 * Does nothing where the repository does not hold it.
 */
export async function setAside(tx: Tx, here: Here, by: string, now: number): Promise<void> {
  const link = await tx
    .selectFrom('manifest_links')
    .select(['pushed_at', 'pushed_by'])
    .where((of) => of.and(here))
    .executeTakeFirst()
  if (link === undefined) return
  const tags = await tx
    .selectFrom('tags')
    .select('name')
    .where((of) => of.and(here))
    .orderBy('name')
    .execute()
  const row = { ...link, tags: JSON.stringify(tags.map((tag) => tag.name)), deleted_at: now, deleted_by: by }
  await tx
    .insertInto('deleted_manifests')
    .values({ ...here, ...row })
    .onConflict((conflict) => conflict.columns(['repository_id', 'manifest_id']).doUpdateSet(row))
    .execute()
  await tx.updateTable('manifests').set({ unlinked_at: now }).where('id', '=', here.manifest_id).execute()
  await tx
    .updateTable('blob_links')
    .set({ linked_at: now, checked: 0 })
    .where('repository_id', '=', here.repository_id)
    .where('blob_id', 'in', (of) =>
      of
        .selectFrom('manifest_blobs')
        .innerJoin('blobs', 'blobs.digest', 'manifest_blobs.blob_digest')
        .select('blobs.id')
        .where('manifest_blobs.manifest_id', '=', here.manifest_id),
    )
    .execute()
}

/**
 * Puts a manifest back with those of its tags that nothing else has taken. In: since when it may have been deleted (ms since 1970).
 * Out: the tags that it has again. Errors: NOT_FOUND where it can't be put back any more, or never was here; CONFLICT where it is
 * here, or a part of it was removed meanwhile, named.
 */
export async function putBack(tx: Tx, repository: Repository, digest: Digest, since: number, by: string, now: number): Promise<string[]> {
  await lockRepository(tx, repository.id)
  const kept = await tx
    .selectFrom('deleted_manifests as d')
    .innerJoin('manifests as m', 'm.id', 'd.manifest_id')
    .select(['d.manifest_id', 'd.tags', 'd.pushed_at', 'd.pushed_by'])
    .where('m.digest', '=', digest)
    .where('d.repository_id', '=', repository.id)
    .where('d.deleted_at', '>', since)
    .$if(locksRows(tx), (query) => query.forNoKeyUpdate('m'))
    .executeTakeFirst()
  if (kept === undefined)
    throw new LazaretError(
      'NOT_FOUND',
      `${repository.name} has no deleted ${digest} that could be put back: only what was deleted within gc.graceSeconds can`,
    )
  const here = { repository_id: repository.id, manifest_id: kept.manifest_id }
  await requireBlobs(tx, here)
  const linked = await tx
    .insertInto('manifest_links')
    .values({ ...here, pushed_at: kept.pushed_at, pushed_by: kept.pushed_by })
    .onConflict((conflict) => conflict.columns(['repository_id', 'manifest_id']).doNothing())
    .executeTakeFirst()
  if (linked.numInsertedOrUpdatedRows === 0n) throw new LazaretError('CONFLICT', `${repository.name} holds ${digest} already`)
  await sql`insert into blob_holders (repository_id, blob_digest, manifest_id)
    select distinct cast(${repository.id} as bigint), blob_digest, manifest_id from manifest_blobs where manifest_id = ${kept.manifest_id}
    on conflict (repository_id, blob_digest, manifest_id) do nothing`.execute(tx)
  const tags = await tagAgain(tx, here, JSON.parse(kept.tags) as string[], by, now)
  await recordMoves(tx, repository.id, tags, { from: null, to: digest }, 'restore', { actor: { principal: by }, at: now })
  await tx
    .deleteFrom('deleted_manifests')
    .where((of) => of.and(here))
    .execute()
  await addJob(tx, 'examine', digest, now)
  return tags
}

/** Foreign layers were never here; what this repository held is here still, unless somebody removed it by itself. */
async function requireBlobs(tx: Tx, here: Here): Promise<void> {
  const parts = await tx
    .selectFrom('manifest_blobs')
    .select(['blob_digest', 'media_type'])
    .where('manifest_id', '=', here.manifest_id)
    .execute()
  const held = await tx
    .selectFrom('blob_links')
    .innerJoin('blobs', 'blobs.id', 'blob_links.blob_id')
    .innerJoin('manifest_blobs', 'manifest_blobs.blob_digest', 'blobs.digest')
    .select('blobs.digest')
    .where('manifest_blobs.manifest_id', '=', here.manifest_id)
    .where('blob_links.repository_id', '=', here.repository_id)
    .$if(locksRows(tx), (query) => query.forKeyShare('blob_links'))
    .execute()
  const present = new Set(held.map((row) => row.digest))
  const gone = parts.find((part) => !present.has(part.blob_digest) && !/nondistributable|\.foreign\./.test(part.media_type))
  if (gone !== undefined) throw new LazaretError('CONFLICT', `its blob ${gone.blob_digest} was removed meanwhile: push it again`)
}

async function tagAgain(tx: Tx, here: Here, tags: string[], by: string, now: number): Promise<string[]> {
  const again: string[] = []
  for (const name of tags) {
    const made = await tx
      .insertInto('tags')
      .values({ ...here, name, updated_at: now, updated_by: by })
      .onConflict((conflict) => conflict.columns(['repository_id', 'name']).doNothing())
      .executeTakeFirst()
    if (made.numInsertedOrUpdatedRows !== 0n) again.push(name)
  }
  return again
}

/** Out: what can be put back, the latest deleted first. In: since when; of one repository where it is named. */
export async function listDeleted(
  records: Records,
  query: { since: number; repository?: string; most: number },
): Promise<DeletedManifest[]> {
  const rows = await records.read
    .selectFrom('deleted_manifests as d')
    .innerJoin('manifests as m', 'm.id', 'd.manifest_id')
    .innerJoin('repositories as r', 'r.id', 'd.repository_id')
    .select(['r.name', 'm.digest', 'd.tags', 'd.deleted_at', 'd.deleted_by'])
    .where('d.deleted_at', '>', query.since)
    .where((of) =>
      of.not(
        of.exists(
          of
            .selectFrom('manifest_links as l')
            .select('l.manifest_id')
            .whereRef('l.manifest_id', '=', 'd.manifest_id')
            .whereRef('l.repository_id', '=', 'd.repository_id'),
        ),
      ),
    )
    .$if(query.repository !== undefined, (some) => some.where('r.name', '=', query.repository ?? ''))
    .orderBy('d.deleted_at', 'desc')
    .limit(query.most)
    .execute()
  return rows.map((row) => ({
    repository: row.name,
    digest: row.digest as Digest,
    tags: JSON.parse(row.tags) as string[],
    deletedAt: row.deleted_at,
    deletedBy: row.deleted_by,
  }))
}
