import type { Digest } from '../model/digest.ts'
import type { Blobs } from '../store/blobs/blobs.ts'
import type { Records, Tx } from '../store/records/records.ts'
import type { BlobReading, LayerInput } from './worker/protocol.ts'
import type { WorkerPool } from './worker/pool.ts'

/** Blobs read once, ever: by digest, and by diffID with the revision of the extractors. */
export interface Inventories {
  /**
   * In: what belongs into the transaction that keeps the reading, or, where there is nothing to keep, into one of its own.
   * Out: how the blob turned out, read now where that was never done by these extractors.
   */
  of(digest: Digest, also?: Also): Promise<LayerInput>
  /** After the last attempt: the blob is unexamined for an hour, with the problem that kept us from it. */
  giveUp(digest: Digest, problem: string): Promise<void>
}

type Also = (tx: Tx) => Promise<void>

export interface InventoryParts {
  records: Records
  blobs: Blobs
  workers: WorkerPool
  extractorRevision: string
  now: () => number
}

const failedForMs = 3_600_000
const mostProblemCharacters = 2000

export function createInventories(parts: InventoryParts): Inventories {
  const { records, blobs, workers, extractorRevision, now } = parts
  const underWay = new Map<Digest, Promise<LayerInput>>()

  async function known(digest: Digest): Promise<LayerInput | undefined> {
    const row = await records.read.selectFrom('blob_layers').selectAll().where('blob_digest', '=', digest).executeTakeFirst()
    if (row === undefined) return undefined
    if (row.state !== 'layer') return row.extractors === extractorRevision ? otherThanLayer(digest, row) : undefined
    const layer = await records.read
      .selectFrom('layers')
      .select('facts')
      .where('diff_id', '=', row.diff_id ?? '')
      .where('extractors', '=', extractorRevision)
      .executeTakeFirst()
    return layer === undefined ? undefined : { digest, state: 'layer', facts: layer.facts }
  }

  /** A failure is believed for a while: who pushes again need not wait for the next one, nor does a poison blob end the worker each time. */
  function otherThanLayer(digest: Digest, row: { state: string; problem: string | null; read_at: number }): LayerInput | undefined {
    const problem = row.problem ?? 'it could not be read'
    if (row.state === 'json') return { digest, state: 'json' }
    if (row.state === 'unreadable') return { digest, state: 'unreadable', problem }
    if (row.state === 'failed' && row.read_at + failedForMs <= now()) return undefined
    return { digest, state: 'unexamined', problem }
  }

  async function read(digest: Digest, also: Also | undefined): Promise<LayerInput> {
    const before = await known(digest)
    if (before !== undefined) return afterwards(before, also)
    const blob = await blobs.findAnywhere(digest)
    if (blob === undefined) return afterwards({ digest, state: 'unexamined', problem: `blob ${digest} is not here` }, also)
    const reading = await workers.inventory({ objectKey: blob.objectKey, sizeBytes: blob.sizeBytes })
    await keep(digest, reading, also)
    return inputOf(digest, reading)
  }

  /** What the power takes is read again: the job that asks for it is then there again too. */
  async function keep(digest: Digest, reading: BlobReading, also: Also | undefined): Promise<void> {
    const change = async (tx: Tx) => {
      if (reading.state === 'layer') await keepLayer(tx, reading)
      await tx
        .insertInto('blob_layers')
        .values({ blob_digest: digest, ...rowOf(reading) })
        .onConflict((conflict) => conflict.column('blob_digest').doUpdateSet(rowOf(reading)))
        .execute()
      await also?.(tx)
    }
    await records.write(change, { sync: 'behind' })
  }

  async function afterwards(answer: LayerInput, also: Also | undefined): Promise<LayerInput> {
    if (also !== undefined) await records.write(also, { sync: 'behind' })
    return answer
  }

  async function keepLayer(tx: Tx, layer: Extract<BlobReading, { state: 'layer' }>): Promise<void> {
    const row = {
      diff_id: layer.diffId,
      extractors: extractorRevision,
      size: layer.sizeBytes,
      facts: Buffer.from(layer.facts),
      created_at: now(),
    }
    await tx
      .insertInto('layers')
      .values(row)
      .onConflict((conflict) => conflict.columns(['diff_id', 'extractors']).doNothing())
      .execute()
  }

  function rowOf(reading: BlobReading) {
    return {
      state: reading.state,
      diff_id: reading.state === 'layer' ? reading.diffId : null,
      problem: 'problem' in reading ? reading.problem.slice(0, mostProblemCharacters) : null,
      read_at: now(),
      extractors: extractorRevision,
    }
  }

  /** Whatever was read of it before stays. */
  async function fail(digest: Digest, problem: string): Promise<void> {
    if ((await known(digest)) !== undefined) return
    const text = `its examination failed: ${problem}`.slice(0, mostProblemCharacters)
    const row = { state: 'failed', diff_id: null, problem: text, read_at: now(), extractors: extractorRevision }
    await records.write((tx) =>
      tx
        .insertInto('blob_layers')
        .values({ blob_digest: digest, ...row })
        .onConflict((conflict) => conflict.column('blob_digest').doUpdateSet(row))
        .execute(),
    )
  }

  return {
    async of(digest, also) {
      const running = underWay.get(digest)
      if (running !== undefined) return afterwards(await running, also)
      const begun = read(digest, also).finally(() => underWay.delete(digest))
      underWay.set(digest, begun)
      return begun
    },
    giveUp: fail,
  }
}

function inputOf(digest: Digest, reading: BlobReading): LayerInput {
  if (reading.state === 'layer') return { digest, state: 'layer', facts: reading.facts }
  return reading.state === 'json' ? { digest, state: 'json' } : { digest, state: reading.state, problem: reading.problem }
}
