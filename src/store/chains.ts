import { createHash } from 'node:crypto'
import { sql } from 'kysely'
import type { Digest } from '../model/digest.ts'
import { addJob, finishJob, priorities } from './jobs/jobs.ts'
import type { Records, Tx } from './records/records.ts'

// Which image is the base of which. Of each image one row a layer, with the ChainID of all layers up to that one:
//
//   depth   debian:12      node:20        shop/api:1
//     1     A  (whole)     A              A
//     2                    B  (whole)     B              the base of shop/api:1 is node:20, at depth 2
//     3                                   C  (whole)
//
// Made of the diffIDs of the bytes as they were read here, never of those that a config claims.

/** Docker stops at 127 layers. Of an image with more than this no base is looked for. */
export const mostChained = 1000
const rowsAtOnce = 200
/** Manifests that the job for what was here before looks at in one transaction. */
const manifestsAtOnce = 100

/**
 * In: diffIDs of layers, the lowest first. Out: for each the ChainID of it and all below.
 * OCI image-spec, config.md, "Layer ChainID".
 */
export function chainIdsOf(diffIds: readonly string[]): Digest[] {
  const chains: Digest[] = []
  for (const diffId of diffIds) {
    const below = chains.at(-1)
    const chain = below === undefined ? diffId : `sha256:${createHash('sha256').update(`${below} ${diffId}`).digest('hex')}`
    chains.push(chain as Digest)
  }
  return chains
}

/**
 * Keeps the chain of an image, in the transaction of its evidence. Layers that nobody could read end it there; what is no image has
 * none. What is there stays: the bytes of a digest don't change.
 */
export async function recordChain(tx: Tx, manifestId: number): Promise<void> {
  const whole = await tx
    .selectFrom('image_chains')
    .select('depth')
    .where('manifest_id', '=', manifestId)
    .where('whole', '=', 1)
    .executeTakeFirst()
  if (whole !== undefined) return
  const layers = await layersOf(tx, manifestId)
  if (layers.length > mostChained) return
  const unread = layers.indexOf(null)
  const read = (unread < 0 ? layers : layers.slice(0, unread)) as string[]
  const rows = chainIdsOf(read).map((chain, at) => ({
    manifest_id: manifestId,
    depth: at + 1,
    chain,
    whole: at + 1 === layers.length ? 1 : 0,
  }))
  for (let at = 0; at < rows.length; at += rowsAtOnce) {
    await tx
      .insertInto('image_chains')
      .values(rows.slice(at, at + rowsAtOnce))
      .onConflict((conflict) => conflict.columns(['manifest_id', 'depth']).doNothing())
      .execute()
  }
}

/** Out: the diffID of each layer, null where its bytes were no archive or could not be read; none of what is no image. */
async function layersOf(tx: Tx, manifestId: number, most = mostChained + 1): Promise<(string | null)[]> {
  const rows = await tx
    .selectFrom('manifest_blobs as b')
    .innerJoin('manifests as m', 'm.id', 'b.manifest_id')
    .leftJoin('blob_layers as l', (join) => join.onRef('l.blob_digest', '=', 'b.blob_digest').on('l.state', '=', 'layer'))
    .select('l.diff_id')
    .where('b.manifest_id', '=', manifestId)
    .where('b.role', '=', 'layer')
    .where('m.kind', '=', 'image')
    .orderBy('b.position')
    .limit(most)
    .execute()
  return rows.map((row) => row.diff_id)
}

/**
 * For images that were here before there were chains: those after `subject` (an id), some at a time; what is left is the next job.
 * Each ends in the transaction of its effect.
 */
export async function recordEarlierChains(records: Records, subject: string, jobId: number, now: number): Promise<void> {
  await records.write(async (tx) => {
    const rows = await tx
      .selectFrom('manifests')
      .select(['id', 'kind'])
      .where('id', '>', Number(subject))
      .orderBy('id')
      .limit(manifestsAtOnce)
      .execute()
    for (const { id, kind } of rows) if (kind === 'image') await recordChain(tx, id)
    await finishJob(tx, jobId)
    const last = rows.at(-1)
    if (last !== undefined && rows.length === manifestsAtOnce) await addJob(tx, 'chains', String(last.id), now, priorities.swept)
  })
}

/** The base of an image: how many of its lowest layers it is, and their ChainID. */
export interface BaseChain {
  depth: number
  chain: Digest
}

/**
 * Out: the longest chain below all the image's own layers that is all layers of another image which some repository holds; undefined
 * where there is none, or none is known.
 */
export async function baseChainOf(records: Records, manifestId: number): Promise<BaseChain | undefined> {
  const { rows } = await sql<BaseChain>`select p.depth as depth, p.chain as chain from image_chains p
    where p.manifest_id = ${manifestId} and p.whole = 0 and exists (select 1 from image_chains b
      join manifest_links l on l.manifest_id = b.manifest_id where b.chain = p.chain and b.whole = 1)
    order by p.depth desc limit 1`.execute(records.read)
  return rows[0]
}

/** Out: diffIDs of the image's lowest layers, as many as are asked for. */
export async function lowestLayers(records: Records, manifestId: number, depth: number): Promise<string[]> {
  return (await layersOf(records.read, manifestId, depth)).flatMap((diffId) => diffId ?? [])
}

/** How much of an image's chain is known, and whether that is all. */
export async function chainState(records: Records, manifestId: number): Promise<{ depth: number; whole: boolean }> {
  const row = await records.read
    .selectFrom('image_chains')
    .select(['depth', 'whole'])
    .where('manifest_id', '=', manifestId)
    .orderBy('depth', 'desc')
    .limit(1)
    .executeTakeFirst()
  return row === undefined ? { depth: 0, whole: false } : { depth: row.depth, whole: row.whole === 1 }
}

/** Out: the chain of all layers of an image; undefined where not all could be read, or it is no image. */
export async function wholeChainOf(records: Records, manifestId: number): Promise<Digest | undefined> {
  const row = await records.read
    .selectFrom('image_chains')
    .select('chain')
    .where('manifest_id', '=', manifestId)
    .where('whole', '=', 1)
    .$castTo<{ chain: Digest }>()
    .executeTakeFirst()
  return row?.chain
}

/** An image with all its layers in that chain, in one repository. */
export interface ChainHolder {
  manifestId: number
  repositoryId: number
  repository: string
  digest: Digest
}

/** In: a chain, and after which holder. Out: those that come next, by when they were first here. */
export async function holdersOfChain(
  records: Records,
  chain: Digest,
  after: { manifestId: number; repositoryId: number },
  most: number,
): Promise<ChainHolder[]> {
  const { rows } = await sql<ChainHolder>`select c.manifest_id as "manifestId", r.id as "repositoryId", r.name as repository,
      m.digest as digest
    from image_chains c join manifests m on m.id = c.manifest_id join manifest_links l on l.manifest_id = c.manifest_id
    join repositories r on r.id = l.repository_id
    where c.chain = ${chain} and c.whole = 1 and c.manifest_id >= ${after.manifestId}
      and (c.manifest_id > ${after.manifestId} or r.id > ${after.repositoryId})
    order by c.manifest_id, r.id limit ${most}`.execute(records.read)
  return rows
}
