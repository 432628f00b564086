import type { Readable } from 'node:stream'
import { LazaretError } from '../../kit/errors.ts'
import type { Digest } from '../../model/digest.ts'
import { recordAudit, systemActor, type Actor } from '../audit.ts'
import { addJob } from '../jobs/jobs.ts'
import type { ObjectStore } from '../objects/objects.ts'
import { locksRows } from '../records/locks.ts'
import type { Records, Tx } from '../records/records.ts'
import type { Repository } from '../repositories.ts'
import { healBlob } from '../scrub/damage.ts'

export interface Blob {
  id: number
  digest: Digest
  sizeBytes: number
  objectKey: string
  /** When its bytes were found not to be its digest's any more; null while they are. */
  damagedAt: number | null
}

/** A blob as one repository holds it. */
export interface LinkedBlob extends Blob {
  repositoryId: number
  /** From here on a link that no manifest needs stays for the grace of the collection. */
  linkedAt: number
}

/**
 * Blobs that are in: once on disk, linked by each repository that holds them. Nobody reads one through a repository
 * without a link.
 */
export interface Blobs {
  /** Out: the blob, where this repository links it. */
  find(repositoryName: string, digest: Digest): Promise<LinkedBlob | undefined>
  /** Whatever repository links it: for our own reading, never to answer a client. */
  findAnywhere(digest: Digest): Promise<Blob | undefined>
  /** Repositories that link it, in the order of their names; the first 1,000. */
  linkedBy(digest: Digest): Promise<Repository[]>
  /** Out: the whole, or the part from `start` to `end` (exclusive). Throws before the first byte where it is not all on disk. */
  read(blob: Blob, range?: { start: number; end: number }): Promise<Readable>
  /** Lets the link stand as if it were made now: somebody was told that the blob is here. Out: false where the link is gone. */
  touch(blob: LinkedBlob): Promise<boolean>
  /** Takes the link away. Out: false where there was none. The bytes stay for the collection to judge. */
  unlink(repositoryId: number, digest: Digest, actor?: Actor): Promise<boolean>
}

export function createBlobs(records: Records, objects: ObjectStore, now: () => number = Date.now): Blobs {
  const columns = 'b.id as id, b.digest as digest, b.size as "sizeBytes", b.object_key as "objectKey", b.damaged_at as "damagedAt"'
  const linked = records.remember<LinkedBlob>(`select ${columns}, l.repository_id as "repositoryId", l.linked_at as "linkedAt" from blobs b
    join blob_links l on l.blob_id = b.id join repositories r on r.id = l.repository_id where b.digest = ? and r.name = ?`)
  const anywhere = records.prepare<Blob>(`select ${columns} from blobs b where b.digest = ?`)
  return {
    find: (repositoryName, digest) => linked.first(digest, repositoryName),
    findAnywhere: (digest) => anywhere.first(digest),
    linkedBy: (digest) =>
      records.read
        .selectFrom('blobs')
        .innerJoin('blob_links', 'blob_links.blob_id', 'blobs.id')
        .innerJoin('repositories', 'repositories.id', 'blob_links.repository_id')
        .select(['repositories.id', 'repositories.name'])
        .where('blobs.digest', '=', digest)
        .orderBy('repositories.name')
        .limit(1000)
        .execute(),
    read: (blob, range) => objects.read(blob.objectKey, range ?? { start: 0, end: blob.sizeBytes }),
    touch: (blob) =>
      records.write(async (tx) => {
        const touched = await tx
          .updateTable('blob_links')
          .set({ linked_at: now(), checked: 0 })
          .where('repository_id', '=', blob.repositoryId)
          .where('blob_id', '=', blob.id)
          .executeTakeFirst()
        return touched.numUpdatedRows > 0n
      }),
    unlink: (repositoryId, digest, actor = systemActor) =>
      records.write(async (tx) => {
        const blob = await tx.selectFrom('blobs').select('id').where('digest', '=', digest).executeTakeFirst()
        if (blob === undefined) return false
        const gone = await tx
          .deleteFrom('blob_links')
          .where('repository_id', '=', repositoryId)
          .where('blob_id', '=', blob.id)
          .executeTakeFirst()
        if (gone.numDeletedRows === 0n) return false
        await tx.updateTable('blobs').set({ unlinked_at: now() }).where('id', '=', blob.id).execute()
        const repository = await tx.selectFrom('repositories').select('name').where('id', '=', repositoryId).executeTakeFirst()
        const subject = `${repository?.name ?? ''}@${digest}`
        await recordAudit(tx, { ...actor, action: 'blob.delete', subject, result: 'done', at: now() })
        return true
      }),
  }
}

/** Makes the link, or makes it new; in the transaction that has checked that the caller may, and that holds the blob's row. */
export async function linkBlob(tx: Tx, repositoryId: number, blobId: number, now: number): Promise<void> {
  await tx
    .insertInto('blob_links')
    .values({ repository_id: repositoryId, blob_id: blobId, linked_at: now })
    .onConflict((conflict) => conflict.columns(['repository_id', 'blob_id']).doUpdateSet({ linked_at: now, checked: 0 }))
    .execute()
}

/** A blob that was collected between two looks is made anew. */
const mostLooks = 5

/**
 * A sealed object becomes the blob of its digest, linked and queued for inventory, in one transaction. Where the one that stands is
 * damaged it takes its place.
 * Out: the blob that stands, which is another object where the digest was known already.
 */
export async function adoptBlob(tx: Tx, repositoryId: number, blob: Omit<Blob, 'id' | 'damagedAt'>, now: number): Promise<Blob> {
  const stands = await standingBlob(tx, blob, now)
  await linkBlob(tx, repositoryId, stands.id, now)
  const objectKey = stands.damagedAt === null ? stands.objectKey : blob.objectKey
  if (objectKey === blob.objectKey) await addJob(tx, 'inventory', blob.digest, now)
  if (stands.damagedAt !== null) await healBlob(tx, stands, blob, now)
  return { ...stands, objectKey, damagedAt: null }
}

/** Its row is held until the transaction ends: the collection passes it over. */
async function standingBlob(tx: Tx, blob: Omit<Blob, 'id' | 'damagedAt'>, now: number): Promise<Blob> {
  const row = { digest: blob.digest, size: blob.sizeBytes, object_key: blob.objectKey, created_at: now, verified_at: now }
  for (let looks = 0; looks < mostLooks; looks++) {
    await tx
      .insertInto('blobs')
      .values(row)
      .onConflict((conflict) => conflict.column('digest').doNothing())
      .execute()
    const stands = await holdBlob(tx, blob.digest)
    if (stands !== undefined) return stands
  }
  throw new LazaretError('INTERNAL', `blob ${blob.digest} was not recorded`)
}

/** Out: the blob of that digest, which stays until the transaction ends; undefined where there is none. */
export function holdBlob(tx: Tx, digest: Digest): Promise<Blob | undefined> {
  return tx
    .selectFrom('blobs')
    .select(['id', 'digest', 'size as sizeBytes', 'object_key as objectKey', 'damaged_at as damagedAt'])
    .where('digest', '=', digest)
    .$if(locksRows(tx), (query) => query.forKeyShare())
    .$castTo<Blob>()
    .executeTakeFirst()
}
