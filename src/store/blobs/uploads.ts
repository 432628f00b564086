import { randomUUID } from 'node:crypto'
import { LazaretError } from '../../kit/errors.ts'
import { settled } from '../../kit/settled.ts'
import { asNoRoom } from '../../kit/no-room.ts'
import { digestAlgorithm, digestHex, digestOf, shortDigest, type Digest } from '../../model/digest.ts'
import type { ObjectStore } from '../objects/objects.ts'
import type { Records } from '../records/records.ts'
import { adoptBlob, type Blob } from './blobs.ts'
import { createSessions, unknownUpload, type Session, type UploadOwner } from './sessions.ts'

/**
 * Upload sessions (OCI distribution-spec, "Pushing blobs"). A row is there before its object and gone after it, so that whatever a
 * crash leaves is found by `expire`.
 * Errors: BLOB_UPLOAD_UNKNOWN for a session that is gone, expired or somebody else's; BLOB_UPLOAD_INVALID for a chunk out
 * of order; DIGEST_INVALID where the bytes are not what the digest says; CONFLICT while another request writes to it.
 */
export interface Uploads {
  start(owner: UploadOwner): Promise<string>
  /** Out: bytes received. */
  status(id: string, owner: UploadOwner): Promise<number>
  /** In: the bytes, and where they claim to begin. Out: bytes received in all. */
  append(id: string, owner: UploadOwner, source: AsyncIterable<Buffer>, startsAt?: number): Promise<number>
  /** Appends the rest, checks, syncs, records. After it returns the blob is on disk. */
  finish(id: string, owner: UploadOwner, source: AsyncIterable<Buffer>, digest: Digest, startsAt?: number): Promise<Blob>
  cancel(id: string, owner: UploadOwner): Promise<void>
  /** Removes the sessions that lay idle past their time. Out: how many. */
  expire(): Promise<number>
  close(): Promise<void>
}

const mostExpiredAtOnce = 1000

export interface UploadOptions {
  expireSeconds: number
  /** Asked for each piece that comes. Throws where no more may: what came of the upload is then thrown away. */
  requireRoom?: () => void
  now?: () => number
}

export function createUploads(records: Records, objects: ObjectStore, options: UploadOptions): Uploads {
  const now = options.now ?? Date.now
  const expireMs = options.expireSeconds * 1000
  const sessions = createSessions(records, objects, now)

  async function start(owner: UploadOwner): Promise<string> {
    const id = randomUUID()
    const key = objects.newKey()
    const row = {
      id,
      repository_id: owner.repositoryId,
      principal: owner.principal,
      object_key: key,
      created_at: now(),
      expires_at: now() + expireMs,
    }
    await records.write((tx) => tx.insertInto('uploads').values(row).execute(), { sync: 'behind' }) // a session that the power took is begun anew
    await sessions.begin({ id, owner, expiresAt: row.expires_at }, () => objects.create(key))
    return id
  }

  async function write(session: Session, source: AsyncIterable<Buffer>, startsAt: number | undefined): Promise<void> {
    if (startsAt !== undefined && startsAt !== session.writer.size) {
      throw new LazaretError('BLOB_UPLOAD_INVALID', `the chunk begins at ${startsAt}, but ${session.writer.size} bytes are here`, {
        detail: { received: session.writer.size },
      })
    }
    try {
      await session.writer.append(source, options.requireRoom)
    } catch (error) {
      if (asNoRoom(error) !== undefined) return giveUp(session, error, () => session.writer.release())
      if (!session.writer.intact) await sessions.letGo(session)
      throw error
    }
  }

  /** Where there is no room, what has come only takes more of it. */
  async function giveUp(session: Session, error: unknown, close: () => Promise<void>): Promise<never> {
    const closeAndRemove = async () => {
      try {
        await close()
      } finally {
        await discard(session.id, session.writer.key)
      }
    }
    const [gone] = await Promise.allSettled([closeAndRemove()])
    sessions.end(session) // only now: until the row is gone a retry would open it anew
    throw gone.status === 'fulfilled' ? error : new AggregateError([error, gone.reason], 'what was uploaded could not be removed')
  }

  /** It lies idle from now on. Once in half of its time is often enough to write that down. */
  async function stay(session: Session): Promise<void> {
    if (session.expiresAt - now() > expireMs / 2) return
    await extend([session])
    if (session.expiresAt <= now()) throw unknownUpload()
  }

  async function extend(some: Session[]): Promise<void> {
    const expiresAt = now() + expireMs
    for (const session of some) {
      const kept = await records.write((tx) =>
        tx
          .updateTable('uploads')
          .set({ expires_at: expiresAt })
          .where('id', '=', session.id)
          .where('expires_at', '>', 0)
          .executeTakeFirst(),
      )
      session.expiresAt = kept.numUpdatedRows > 0n ? expiresAt : 0
    }
  }

  /** The object goes first: what a crash leaves is then a row, which expires. */
  async function discard(id: string, key: string): Promise<void> {
    await objects.remove(key)
    await records.write((tx) => tx.deleteFrom('uploads').where('id', '=', id).execute())
  }

  /** Until the blob stands, the session stays taken: nobody appends to what is being sealed. */
  async function commit(session: Session, digest: Digest): Promise<Blob> {
    try {
      await requireDigest(session, digest).catch((error: unknown) => refuse(session, error))
      await seal(session)
      return await adopt(session, digest).catch((error: unknown) => {
        if (asNoRoom(error) === undefined) throw error
        return giveUp(session, error, async () => undefined)
      })
    } finally {
      sessions.end(session)
    }
  }

  /** After a failed sync nothing is known of the bytes, even if a second one says all is well. */
  async function seal(session: Session): Promise<void> {
    try {
      await settled([session.writer.seal(), records.synced()]) // an object whose row the power took is found by nobody
    } catch (error) {
      await discard(session.id, session.writer.key)
      throw error
    }
  }

  /** Other bytes are thrown away. Where they could not be hashed the upload stays, and its end can be asked for again. */
  async function refuse(session: Session, error: unknown): Promise<never> {
    if (error instanceof LazaretError && error.code === 'DIGEST_INVALID') await closeAndDiscard(session)
    else await sessions.letGo(session)
    throw error
  }

  async function closeAndDiscard(session: Session): Promise<void> {
    await Promise.allSettled([session.writer.release()]) // what it says of lost bytes is of no account now
    await discard(session.id, session.writer.key)
  }

  async function requireDigest(session: Session, digest: Digest): Promise<void> {
    const algorithm = digestAlgorithm(digest)
    const found = digestOf(algorithm, await session.writer.digest(algorithm))
    if (digestHex(found) === digestHex(digest)) return
    throw new LazaretError('DIGEST_INVALID', `the bytes are ${shortDigest(found)}, not ${shortDigest(digest)}`, {
      detail: { expected: digest, found },
    })
  }

  async function adopt(session: Session, digest: Digest): Promise<Blob> {
    const sealed = { digest, sizeBytes: session.writer.size, objectKey: session.writer.key }
    const blob = await records.write(async (tx) => {
      const ended = await tx
        .updateTable('uploads')
        .set({ expires_at: 0 })
        .where('id', '=', session.id)
        .where('expires_at', '>', 0)
        .executeTakeFirst()
      if (ended.numUpdatedRows === 0n) throw unknownUpload()
      const adopted = await adoptBlob(tx, session.owner.repositoryId, sealed, now())
      if (adopted.objectKey === sealed.objectKey) await tx.deleteFrom('uploads').where('id', '=', session.id).execute()
      return adopted
    })
    if (blob.objectKey !== sealed.objectKey) await discard(session.id, sealed.objectKey) // the digest is here already
    return blob
  }

  async function expire(): Promise<number> {
    await sessions.closeIdle()
    await extend(sessions.busy())
    const late = await records.read
      .selectFrom('uploads')
      .select(['id', 'object_key'])
      .where('expires_at', '<=', now())
      .orderBy('expires_at')
      .limit(mostExpiredAtOnce)
      .execute()
    const dead = late.filter((row) => !sessions.isBusy(row.id))
    const gone = await Promise.allSettled(dead.map(expireOne))
    const failed = gone.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []))
    if (failed.length > 0)
      throw new AggregateError(failed, `${failed.length} of ${dead.length} uploads past their time could not be removed`)
    return dead.length
  }

  async function expireOne(row: { id: string; object_key: string }): Promise<void> {
    const marked = await records.write((tx) =>
      tx.updateTable('uploads').set({ expires_at: 0 }).where('id', '=', row.id).where('expires_at', '<=', now()).executeTakeFirst(),
    )
    if (marked.numUpdatedRows === 0n) return
    const session = sessions.idle(row.id)
    if (session !== undefined) await sessions.letGo(session)
    await discard(row.id, row.object_key)
  }

  return {
    start,
    status: (id, owner) => sessions.received(id, owner),
    async append(id, owner, source, startsAt) {
      const session = await sessions.take(id, owner)
      try {
        await write(session, source, startsAt)
        await stay(session)
        return session.writer.size
      } finally {
        sessions.giveBack(session)
      }
    },
    async finish(id, owner, source, digest, startsAt) {
      const session = await sessions.take(id, owner)
      try {
        await write(session, source, startsAt)
        return await commit(session, digest)
      } finally {
        sessions.giveBack(session)
      }
    },
    async cancel(id, owner) {
      const session = await sessions.take(id, owner)
      try {
        await closeAndDiscard(session)
      } finally {
        sessions.end(session)
      }
    },
    expire,
    close: () => sessions.close(),
  }
}
