import type { Digest } from '../model/digest.ts'
import type { Blobs } from '../store/blobs/blobs.ts'
import type { Records } from '../store/records/records.ts'
import type { BlobReading, LayerInput } from './worker/protocol.ts'
import type { WorkerPool } from './worker/pool.ts'

/** Blobs read once, ever: by digest, and by diffID with the revision of the extractors. */
export interface Inventories {
  /** Out: how the blob turned out, read now where that was never done by these extractors. */
  of(digest: Digest): Promise<LayerInput>
  /** After the last attempt: the blob is unreadable, with the problem that kept us from it. */
  giveUp(digest: Digest, problem: string): Promise<void>
}

export interface InventoryParts {
  records: Records
  blobs: Blobs
  workers: WorkerPool
  extractorRevision: string
  now: () => number
}

export function createInventories(parts: InventoryParts): Inventories {
  const { records, blobs, workers, extractorRevision, now } = parts
  const underWay = new Map<Digest, Promise<LayerInput>>()

  async function known(digest: Digest): Promise<LayerInput | undefined> {
    const row = await records.read.selectFrom('blob_layers').selectAll().where('blob_digest', '=', digest).executeTakeFirst()
    if (row === undefined) return undefined
    if (row.state === 'json') return { digest, state: 'json' }
    if (row.state !== 'layer') return { digest, state: 'unreadable', problem: row.problem ?? 'it could not be read' }
    const layer = await records.read
      .selectFrom('layers')
      .select('facts')
      .where('diff_id', '=', row.diff_id ?? '')
      .where('extractors', '=', extractorRevision)
      .executeTakeFirst()
    return layer === undefined ? undefined : { digest, state: 'layer', facts: layer.facts }
  }

  async function read(digest: Digest): Promise<LayerInput> {
    const before = await known(digest)
    if (before !== undefined) return before
    const blob = await blobs.findAnywhere(digest)
    if (blob === undefined) return { digest, state: 'absent', problem: `layer ${digest} is not here` }
    const reading = await workers.inventory({ objectKey: blob.objectKey, sizeBytes: blob.sizeBytes })
    await keep(digest, reading)
    return inputOf(digest, reading)
  }

  async function keep(digest: Digest, reading: BlobReading): Promise<void> {
    const row = {
      state: reading.state,
      diff_id: reading.state === 'layer' ? reading.diffId : null,
      problem: reading.state === 'unreadable' ? reading.problem.slice(0, 2000) : null,
      read_at: now(),
    }
    await records.write(async (tx) => {
      if (reading.state === 'layer') {
        await tx
          .insertInto('layers')
          .values({
            diff_id: reading.diffId,
            extractors: extractorRevision,
            size: reading.sizeBytes,
            facts: Buffer.from(reading.facts),
            created_at: now(),
          })
          .onConflict((conflict) => conflict.columns(['diff_id', 'extractors']).doNothing())
          .execute()
      }
      await tx
        .insertInto('blob_layers')
        .values({ blob_digest: digest, ...row })
        .onConflict((conflict) => conflict.column('blob_digest').doUpdateSet(row))
        .execute()
    })
  }

  return {
    of(digest) {
      const running = underWay.get(digest)
      if (running !== undefined) return running
      const begun = read(digest).finally(() => underWay.delete(digest))
      underWay.set(digest, begun)
      return begun
    },
    giveUp: (digest, problem) => keep(digest, { state: 'unreadable', problem: `its examination failed: ${problem}` }),
  }
}

function inputOf(digest: Digest, reading: BlobReading): LayerInput {
  if (reading.state === 'layer') return { digest, state: 'layer', facts: reading.facts }
  return reading.state === 'json' ? { digest, state: 'json' } : { digest, state: 'unreadable', problem: reading.problem }
}

