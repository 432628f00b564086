import type { DatabaseSync } from 'node:sqlite'
import { LazaretError, messageOf } from '../../kit/errors.ts'
import { verified } from '../../kit/streams/verify.ts'
import type { Digest } from '../../model/digest.ts'
import type { ObjectStore } from '../objects/objects.ts'

/** A blob as the records of a backup name it. */
export interface NamedBlob {
  id: number
  digest: Digest
  sizeBytes: number
  objectKey: string
  isDamaged: boolean
}

/** In: records in SQLite. Out: every blob that they name, in the order of their ids, page by page. */
export function* namedBlobs(database: DatabaseSync): Generator<NamedBlob> {
  const page = database.prepare(`select id, digest, size as "sizeBytes", object_key as "objectKey", damaged_at is not null as "isDamaged"
    from blobs where id > ? order by id limit 1000`)
  for (let last = 0; ; ) {
    const rows = page.all(last)
    if (rows.length === 0) return
    for (const row of rows) yield { ...row, isDamaged: row['isDamaged'] === 1 } as unknown as NamedBlob
    last = Number(rows.at(-1)?.['id'])
  }
}

/** A blob's bytes, which end in an error where they are not its digest's. */
export async function* bytesOf(objects: ObjectStore, blob: NamedBlob): AsyncGenerator<Buffer> {
  yield* verified((await objects.read(blob.objectKey)) as AsyncIterable<Buffer>, blob.digest, blob.sizeBytes)
}

/**
 * In: something to be done with a blob's bytes. Out: what is wrong with them, in a line, once two tries say so; undefined where it was
 * done. Throws what is no fault of the blob.
 */
export async function damageIn(work: () => Promise<unknown>): Promise<string | undefined> {
  for (let tries = 1; ; tries++) {
    try {
      await work()
      return undefined
    } catch (error) {
      if (!isDamage(error)) throw error
      if (tries === 2) return messageOf(error)
    }
  }
}

/** The object itself is at fault, and not what is around it. */
function isDamage(error: unknown): boolean {
  if (error instanceof LazaretError) return error.code === 'BLOB_UNKNOWN' || error.code === 'UNREADABLE'
  return ['EIO', 'EBADMSG', 'EUCLEAN', 'EISDIR'].includes((error as NodeJS.ErrnoException).code ?? '')
}
