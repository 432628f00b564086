import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { LazaretError, messageOf } from '../../kit/errors.ts'
import { digestAlgorithm, digestHex, type Digest } from '../../model/digest.ts'
import type { ObjectStore } from '../objects/objects.ts'
import type { Records } from '../records/records.ts'
import { markDamaged } from './damage.ts'

export interface ScrubParts {
  records: Records
  objects: ObjectStore
  /** At most so many bytes a second are read. */
  bytesPerSecond: number
  now: () => number
}

/** What came of one blob. */
export type Scrubbed = { digest: Digest; sizeBytes: number } & ({ state: 'whole' | 'gone' } | { state: 'damaged'; damage: string })

interface Row {
  id: number
  digest: Digest
  sizeBytes: number
  objectKey: string
}

/**
 * Reads the blob again whose bytes were looked at the longest ago, at its pace, and holds it against its digest. What is wrong is read
 * a second time before it is believed; then the blob is held back, and what holds it is judged anew.
 * In: blobs that were looked at since `before` (ms since 1970) are left alone. Out: what came of it; undefined where none is left.
 * Throws what keeps it from reading at all (too many open files, no right to the folder), and the signal's reason.
 */
export async function scrubNext(parts: ScrubParts, before: number, signal: AbortSignal): Promise<Scrubbed | undefined> {
  const blob = await longestUnread(parts.records, before)
  if (blob === undefined) return undefined
  const { digest, sizeBytes } = blob
  const damage = (await damageIn(parts, blob, signal)) === undefined ? undefined : await damageIn(parts, blob, signal)
  if (damage === undefined) {
    await markWhole(parts, blob)
    return { digest, sizeBytes, state: 'whole' }
  }
  const marked = await parts.records.write((tx) => markDamaged(tx, blob, damage, parts.now()))
  return marked ? { digest, sizeBytes, state: 'damaged', damage } : { digest, sizeBytes, state: 'gone' }
}

async function longestUnread(records: Records, before: number): Promise<Row | undefined> {
  return records.read
    .selectFrom('blobs')
    .select(['id', 'digest', 'size as sizeBytes', 'object_key as objectKey'])
    .where('damaged_at', 'is', null)
    .where('verified_at', '<=', before)
    .orderBy('verified_at')
    .limit(1)
    .$castTo<Row>()
    .executeTakeFirst()
}

async function markWhole({ records, now }: ScrubParts, blob: Row): Promise<void> {
  await records.write((tx) =>
    tx.updateTable('blobs').set({ verified_at: now() }).where('id', '=', blob.id).where('object_key', '=', blob.objectKey).execute(),
  )
}

/** Out: what is wrong with it, in a line. */
async function damageIn(parts: ScrubParts, blob: Row, signal: AbortSignal): Promise<string | undefined> {
  const algorithm = digestAlgorithm(blob.digest)
  const hash = createHash(algorithm)
  const pace = paceOf(parts.bytesPerSecond, signal)
  let size = 0
  try {
    for await (const chunk of (await parts.objects.read(blob.objectKey)) as AsyncIterable<Buffer>) {
      hash.update(chunk)
      size += chunk.length
      await pace(chunk.length)
    }
  } catch (error) {
    if (isDamage(error)) return `it can't be read after ${size} of ${blob.sizeBytes} bytes: ${messageOf(error)}`
    throw error
  }
  if (size !== blob.sizeBytes) return `it has ${size} bytes on disk, where ${blob.sizeBytes} were written`
  return hash.digest('hex') === digestHex(blob.digest) ? undefined : 'its bytes on disk are not those of its digest'
}

/** The object itself is at fault, and not what is around it. */
function isDamage(error: unknown): boolean {
  if (error instanceof LazaretError) return error.code === 'BLOB_UNKNOWN'
  return ['EIO', 'EBADMSG', 'EUCLEAN', 'EISDIR'].includes((error as NodeJS.ErrnoException).code ?? '')
}

/** Out: waits until so many more bytes are due. */
function paceOf(bytesPerSecond: number, signal: AbortSignal): (bytes: number) => Promise<void> {
  const began = performance.now()
  let bytes = 0
  return async (more) => {
    bytes += more
    signal.throwIfAborted()
    const aheadMs = (bytes / bytesPerSecond) * 1000 - (performance.now() - began)
    if (aheadMs > 1) await sleep(aheadMs, undefined, { signal })
  }
}
