import type { Readable } from 'node:stream'
import { LazaretError } from '../../kit/errors.ts'
import type { Digest } from '../../model/digest.ts'
import { addJob } from '../jobs/jobs.ts'
import type { ObjectStore } from '../objects/objects.ts'
import type { Records, Tx } from '../records/records.ts'
import type { Repository } from '../repositories.ts'

export interface Blob {
  id: number
  digest: Digest
  sizeBytes: number
  objectKey: string
}

/**
 * Blobs that are in: once on disk, linked by each repository that holds them. Nobody reads one through a repository
 * without a link.
 */
export interface Blobs {
  /** Out: the blob, where this repository links it. */
  find(repositoryName: string, digest: Digest): Promise<Blob | undefined>
  /** Whatever repository links it: for our own reading, never to answer a client. */
  findAnywhere(digest: Digest): Promise<Blob | undefined>
  /** Repositories that link it, in the order of their names; the first 1,000. */
  linkedBy(digest: Digest): Promise<Repository[]>
  /** Out: the whole, or the part from `start` to `end` (exclusive). Throws before the first byte where it is not all on disk. */
  read(blob: Blob, range?: { start: number; end: number }): Promise<Readable>
  /** Takes the link away. Out: false where there was none. The bytes stay for the collection to judge. */
  unlink(repositoryId: number, digest: Digest): Promise<boolean>
}

export function createBlobs(records: Records, objects: ObjectStore): Blobs {
  const columns = 'b.id as id, b.digest as digest, b.size as "sizeBytes", b.object_key as "objectKey"'
  const linked = records.prepare<Blob>(`select ${columns} from blobs b
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
    unlink: (repositoryId, digest) =>
      records.write(async (tx) => {
        const blob = await tx.selectFrom('blobs').select('id').where('digest', '=', digest).executeTakeFirst()
        if (blob === undefined) return false
        const gone = await tx
          .deleteFrom('blob_links')
          .where('repository_id', '=', repositoryId)
          .where('blob_id', '=', blob.id)
          .executeTakeFirst()
        return gone.numDeletedRows > 0n
      }),
  }
}

/** Makes the link; in the transaction that has checked that the caller may. */
export async function linkBlob(tx: Tx, repositoryId: number, blobId: number, now: number): Promise<void> {
  await tx
    .insertInto('blob_links')
    .values({ repository_id: repositoryId, blob_id: blobId, linked_at: now })
    .onConflict((conflict) => conflict.columns(['repository_id', 'blob_id']).doNothing())
    .execute()
}

/**
 * A sealed object becomes the blob of its digest, linked and queued for inventory, in one transaction.
 * Out: the blob that stands, which is another object where the digest was known already.
 */
export async function adoptBlob(tx: Tx, repositoryId: number, blob: Omit<Blob, 'id'>, now: number): Promise<Blob> {
  await tx
    .insertInto('blobs')
    .values({ digest: blob.digest, size: blob.sizeBytes, object_key: blob.objectKey, created_at: now })
    .onConflict((conflict) => conflict.column('digest').doNothing())
    .execute()
  const stands = await tx.selectFrom('blobs').select(['id', 'object_key', 'size']).where('digest', '=', blob.digest).executeTakeFirst()
  if (stands === undefined) throw new LazaretError('INTERNAL', `blob ${blob.digest} was not recorded`)
  await linkBlob(tx, repositoryId, stands.id, now)
  if (stands.object_key === blob.objectKey) await addJob(tx, 'inventory', blob.digest, now)
  return { id: stands.id, digest: blob.digest, sizeBytes: stands.size, objectKey: stands.object_key }
}
