import { LazaretError } from '../../kit/errors.ts'
import type { ObjectStore, ObjectWriter } from '../objects/objects.ts'
import type { Records } from '../records/records.ts'

/** Who may touch a session: only the user that began it, and only through the repository it was begun for. */
export interface UploadOwner {
  repositoryId: number
  principal: string
}

/** An upload whose file is open here. One request at a time has it. */
export interface Session {
  id: string
  owner: UploadOwner
  writer: ObjectWriter
  busy: boolean
  usedAt: number
  expiresAt: number
}

/**
 * Sessions with their file open. A session is open once in this process, from its first use until `letGo`; what was let go of, or
 * left by an earlier process, is opened again from its row.
 * Errors: BLOB_UPLOAD_UNKNOWN for one that is gone, expired or somebody else's; CONFLICT while another request has it;
 * TOOMANYREQUESTS where as many as may be are being written to.
 */
export interface Sessions {
  /** In: the new row, and how its object is made. */
  begin(row: { id: string; owner: UploadOwner; expiresAt: number }, create: () => Promise<ObjectWriter>): Promise<void>
  /** The session, for this request alone until `giveBack`, `letGo` or `end`. */
  take(id: string, owner: UploadOwner): Promise<Session>
  /** Out: bytes received, also while another request writes. */
  received(id: string, owner: UploadOwner): Promise<number>
  giveBack(session: Session): void
  /** Closes its file. It can be resumed. */
  letGo(session: Session): Promise<void>
  /** Its file is closed already: sealed, or removed. */
  end(session: Session): void
  isBusy(id: string): boolean
  busy(): Session[]
  idle(id: string): Session | undefined
  /** Closes the files of those that were idle for long. */
  closeIdle(): Promise<void>
  close(): Promise<void>
}

/** An idle session lets go of its file after this long; it can still be resumed until it expires. */
const idleMs = 60_000
/** Each has a file open. */
const mostOpen = 1000

export function createSessions(records: Records, objects: ObjectStore, now: () => number): Sessions {
  /** The longest unused first. */
  const open = new Map<string, Session>()
  const opening = new Map<string, Promise<Session>>()

  async function find(id: string, owner: UploadOwner): Promise<Session> {
    const session = open.get(id) ?? (await reopenOnce(id, owner))
    if (!isSame(session.owner, owner) || session.expiresAt <= now()) throw unknownUpload()
    return session
  }

  /** Two openings of one file would each write at their own end of it. */
  function reopenOnce(id: string, owner: UploadOwner): Promise<Session> {
    const under = opening.get(id) ?? reopen(id, owner).finally(() => opening.delete(id))
    opening.set(id, under)
    return under
  }

  async function reopen(id: string, owner: UploadOwner): Promise<Session> {
    const row = await records.read.selectFrom('uploads').selectAll().where('id', '=', id).where('expires_at', '>', now()).executeTakeFirst()
    if (row === undefined || !isSame({ repositoryId: row.repository_id, principal: row.principal }, owner)) throw unknownUpload()
    await makeRoom()
    const writer = await objects.resume(row.object_key)
    return keep({ id, owner, writer, busy: false, usedAt: now(), expiresAt: row.expires_at })
  }

  function keep(session: Session): Session {
    open.delete(session.id)
    open.set(session.id, session)
    return session
  }

  async function makeRoom(): Promise<void> {
    if (open.size < mostOpen) return
    const longestUnused = open.values().find((session) => !session.busy)
    if (longestUnused === undefined)
      throw new LazaretError('TOOMANYREQUESTS', `${mostOpen} uploads are under way, try again`, { headers: { 'retry-after': '5' } })
    await letGo(longestUnused)
  }

  /** A retry may have opened the same upload anew by now, and that one stays. */
  function forget(session: Session): void {
    if (open.get(session.id) === session) open.delete(session.id)
  }

  /** One whose bytes were lost on their way to the disk is removed: the kernel tells so only once, and its client begins anew. */
  async function letGo(session: Session): Promise<void> {
    forget(session)
    const [released] = await Promise.allSettled([session.writer.release()])
    if (released.status === 'fulfilled') return
    await objects.remove(session.writer.key)
    await records.write((tx) => tx.deleteFrom('uploads').where('id', '=', session.id).execute())
  }

  return {
    async begin({ id, owner, expiresAt }, create) {
      await makeRoom()
      keep({ id, owner, writer: await create(), busy: false, usedAt: now(), expiresAt })
    },
    async take(id, owner) {
      const session = await find(id, owner)
      if (session.busy) throw new LazaretError('CONFLICT', 'another request is writing to this upload')
      session.busy = true
      session.usedAt = now()
      return keep(session)
    },
    received: async (id, owner) => (await find(id, owner)).writer.size,
    giveBack(session) {
      session.busy = false
      session.usedAt = now()
    },
    letGo,
    end: forget,
    isBusy: (id) => open.get(id)?.busy === true,
    busy: () => [...open.values()].filter((session) => session.busy),
    idle: (id) => (open.get(id)?.busy === true ? undefined : open.get(id)),
    async closeIdle() {
      const idle = [...open.values()].filter((session) => !session.busy && now() - session.usedAt >= idleMs)
      for (const session of idle) if (!session.busy) await letGo(session)
    },
    async close() {
      const all = [...open.values()]
      open.clear()
      await Promise.all(all.map(letGo))
    },
  }
}

function isSame(a: UploadOwner, b: UploadOwner): boolean {
  return a.repositoryId === b.repositoryId && a.principal === b.principal
}

export function unknownUpload(): LazaretError {
  return new LazaretError('BLOB_UPLOAD_UNKNOWN', 'no such upload: it ended, expired, or was begun elsewhere')
}
