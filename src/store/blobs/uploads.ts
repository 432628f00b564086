import { createHash, randomUUID, type Hash } from 'node:crypto'
import { LazaretError } from '../../kit/errors.ts'
import { digestAlgorithm, digestHex, digestOf, shortDigest, type Digest, type DigestAlgorithm } from '../../model/digest.ts'
import type { ObjectStore, ObjectWriter } from '../objects/objects.ts'
import type { Records } from '../records/records.ts'
import { adoptBlob, type Blob } from './blobs.ts'

/** Who may touch a session: only the user that began it, and only through the repository it was begun for. */
export interface UploadOwner {
  repositoryId: number
  principal: string
}

/**
 * Upload sessions (OCI distribution-spec, "Pushing blobs").
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
  /** Removes the sessions that are past their time. Out: how many. */
  expire(): Promise<number>
  close(): Promise<void>
}

interface Session {
  id: string
  owner: UploadOwner
  writer: ObjectWriter
  hash: Hash
  hashedBytes: number
  busy: boolean
  usedAt: number
}

/** An idle session lets go of its file after this long; it can still be resumed until it expires. */
const idleMs = 60_000
/** Written into the same file, a checksum in another algorithm is made by reading it again. */
const streamed: DigestAlgorithm = 'sha256'

export function createUploads(records: Records, objects: ObjectStore, options: { expireSeconds: number; now?: () => number }): Uploads {
  const now = options.now ?? Date.now
  const open = new Map<string, Session>()

  async function start(owner: UploadOwner): Promise<string> {
    const id = randomUUID()
    const key = objects.newKey()
    const at = now()
    await records.write((tx) =>
      tx
        .insertInto('uploads')
        .values({
          id,
          repository_id: owner.repositoryId,
          principal: owner.principal,
          object_key: key,
          created_at: at,
          expires_at: at + options.expireSeconds * 1000,
        })
        .execute(),
    )
    open.set(id, { id, owner, writer: await objects.create(key), hash: createHash(streamed), hashedBytes: 0, busy: false, usedAt: at })
    return id
  }

  /** The open session, or one that an earlier process or an idle time let go of. */
  async function take(id: string, owner: UploadOwner): Promise<Session> {
    const session = open.get(id) ?? (await reopen(id))
    if (session.owner.repositoryId !== owner.repositoryId || session.owner.principal !== owner.principal) throw unknownUpload()
    if (session.busy) throw new LazaretError('CONFLICT', 'another request is writing to this upload')
    session.busy = true
    session.usedAt = now()
    return session
  }

  async function reopen(id: string): Promise<Session> {
    const row = await records.read.selectFrom('uploads').selectAll().where('id', '=', id).where('expires_at', '>', now()).executeTakeFirst()
    if (row === undefined) throw unknownUpload()
    const writer = await objects.resume(row.object_key)
    const hash = await hashOf(objects, row.object_key, streamed)
    const raced = open.get(id)
    if (raced !== undefined) {
      await writer.release()
      return raced
    }
    const owner = { repositoryId: row.repository_id, principal: row.principal }
    const session = { id, owner, writer, hash, hashedBytes: writer.size, busy: false, usedAt: now() }
    open.set(id, session)
    return session
  }

  async function write(session: Session, source: AsyncIterable<Buffer>, startsAt: number | undefined): Promise<void> {
    if (startsAt !== undefined && startsAt !== session.writer.size) {
      throw new LazaretError('BLOB_UPLOAD_INVALID', `the chunk begins at ${startsAt}, but ${session.writer.size} bytes are here`, {
        detail: { received: session.writer.size },
      })
    }
    try {
      await session.writer.append(source, (chunk) => {
        session.hash.update(chunk)
        session.hashedBytes += chunk.length
      })
    } catch (error) {
      if (session.hashedBytes !== session.writer.size) await letGo(session) // a failed write: the file is hashed again when resumed
      throw error
    }
  }

  async function letGo(session: Session): Promise<void> {
    open.delete(session.id)
    await session.writer.release()
  }

  async function forget(session: Session): Promise<void> {
    open.delete(session.id)
    await records.write((tx) => tx.deleteFrom('uploads').where('id', '=', session.id).execute())
    await objects.remove(session.writer.key)
  }

  async function commit(session: Session, digest: Digest): Promise<Blob> {
    open.delete(session.id)
    await session.writer.seal()
    const algorithm = digestAlgorithm(digest)
    const hash = algorithm === streamed ? session.hash : await hashOf(objects, session.writer.key, algorithm)
    const found = digestOf(algorithm, hash.digest('hex'))
    if (digestHex(found) !== digestHex(digest)) {
      await forget(session)
      throw new LazaretError('DIGEST_INVALID', `the bytes are ${shortDigest(found)}, not ${shortDigest(digest)}`, { detail: { expected: digest, found } })
    }
    const sealed = { digest, sizeBytes: session.writer.size, objectKey: session.writer.key }
    const blob = await records.write(async (tx) => {
      const gone = await tx.deleteFrom('uploads').where('id', '=', session.id).executeTakeFirst()
      if (gone.numDeletedRows === 0n) throw unknownUpload()
      return adoptBlob(tx, session.owner.repositoryId, sealed, now())
    })
    if (blob.objectKey !== sealed.objectKey) await objects.remove(sealed.objectKey)
    return blob
  }

  return {
    start,
    async status(id, owner) {
      const session = await take(id, owner)
      session.busy = false
      return session.writer.size
    },
    async append(id, owner, source, startsAt) {
      const session = await take(id, owner)
      try {
        await write(session, source, startsAt)
        return session.writer.size
      } finally {
        session.busy = false
      }
    },
    async finish(id, owner, source, digest, startsAt) {
      const session = await take(id, owner)
      try {
        await write(session, source, startsAt)
        return await commit(session, digest)
      } finally {
        session.busy = false
      }
    },
    async cancel(id, owner) {
      const session = await take(id, owner)
      await session.writer.release()
      await forget(session)
    },
    async expire() {
      for (const session of open.values()) {
        if (session.busy || now() - session.usedAt < idleMs) continue
        await letGo(session)
      }
      const late = await records.read.selectFrom('uploads').select(['id', 'object_key']).where('expires_at', '<=', now()).limit(1000).execute()
      const dead = late.filter((row) => open.get(row.id)?.busy !== true)
      for (const row of dead) {
        const session = open.get(row.id)
        if (session !== undefined) await letGo(session)
        await records.write((tx) => tx.deleteFrom('uploads').where('id', '=', row.id).execute())
        await objects.remove(row.object_key)
      }
      return dead.length
    },
    async close() {
      for (const session of open.values()) await session.writer.release()
      open.clear()
    },
  }
}

function unknownUpload(): LazaretError {
  return new LazaretError('BLOB_UPLOAD_UNKNOWN', 'no such upload: it ended, expired, or was begun elsewhere')
}

async function hashOf(objects: ObjectStore, key: string, algorithm: DigestAlgorithm): Promise<Hash> {
  const hash = createHash(algorithm)
  for await (const chunk of await objects.read(key)) hash.update(chunk as Buffer)
  return hash
}
