import { sql } from 'kysely'
import { LazaretError } from '../../kit/errors.ts'
import { parseDigest, shortDigest, type Digest, type DigestAlgorithm } from '../../model/digest.ts'
import type { Descriptor, Manifest, ManifestKind } from '../../model/manifest.ts'
import type { Blobs } from '../blobs/blobs.ts'
import { recordAudit } from '../audit.ts'
import { addJob } from '../jobs/jobs.ts'
import { locksRows } from '../records/locks.ts'
import type { Records, Tx } from '../records/records.ts'
import { ensureRepository, type Repository } from '../repositories.ts'
import { audited, placeTag, type Change, type ImmutableTags } from '../tag-history.ts'
import { blobsOfIndex, kindOf, manifestsOfIndex, mostConfigBytes } from './kind.ts'
import { parseManifest, type ParsedManifest } from './parse.ts'

export interface Incoming {
  repository: string
  bytes: Buffer
  declaredType: string
  /** Where the push named a digest: its algorithm is the manifest's, and it must be right. */
  expected?: Digest
  tags: string[]
  principal: string
  /** Where it came from: an IP address, or `local`. */
  address: string
  /** The tags of this repository that stay where they are. */
  immutableTags: ImmutableTags | undefined
}

/**
 * Takes a manifest in: parsed, complete, recorded with its tags and the job to examine it, in one transaction.
 * Push and mirror share it. Out: the manifest and the repository's id.
 * Errors: MANIFEST_INVALID, DIGEST_INVALID, MANIFEST_BLOB_UNKNOWN with the digests that are missing, DENIED for a tag that stays.
 */
export async function acceptManifest(
  records: Records,
  blobs: Blobs,
  incoming: Incoming,
  now: number,
): Promise<{ manifest: Manifest; repositoryId: number }> {
  const parsed = parseManifest(incoming.bytes, incoming.declaredType, algorithmOf(incoming.expected))
  if (incoming.expected !== undefined && incoming.expected !== parsed.digest) {
    throw new LazaretError('DIGEST_INVALID', `the manifest is ${shortDigest(parsed.digest)}, not ${shortDigest(incoming.expected)}`)
  }
  const manifest = withKind(parsed, await kindFor(records, blobs, incoming.repository, parsed))
  const repositoryId = await records.write(async (tx) => {
    const repository = await ensureRepository(tx, incoming.repository, now)
    await requireParts(tx, repository.id, parsed)
    const id = await recordManifest(tx, manifest, parsed, incoming.bytes, now)
    await linkManifest(tx, repository.id, id, incoming, now)
    const change = changeOf(incoming, now)
    const before = await placeTags(tx, repository, { id, digest: manifest.digest }, incoming.tags, change)
    if (!(await standsJudged(tx, repository.id, id, now))) await addJob(tx, 'examine', manifest.digest, now)
    await auditPush(tx, repository.name, manifest.digest, before, change)
    return repository.id
  })
  return { manifest, repositoryId }
}

function algorithmOf(digest: Digest | undefined): DigestAlgorithm {
  return digest?.startsWith('sha512:') === true ? 'sha512' : 'sha256'
}

function withKind(parsed: ParsedManifest, kind: ManifestKind): Manifest {
  const { isIndex, ...manifest } = parsed
  return isIndex ? { ...manifest, kind, layers: blobsOfIndex(parsed), children: manifestsOfIndex(parsed) } : { ...manifest, kind }
}

/** By its config, which is here and whole. Its bytes are read where its type does not tell, and the manifest is not on record. */
async function kindFor(records: Records, blobs: Blobs, repository: string, parsed: ParsedManifest): Promise<ManifestKind> {
  const byTypes = kindOf(parsed, undefined)
  if (parsed.config === undefined) return byTypes
  const blob = await blobs.find(repository, parsed.config.digest)
  if (blob === undefined || blob.damagedAt !== null) throw missingParts([parsed.config.digest])
  const known = byTypes === 'image' ? byTypes : await knownKind(records, parsed.digest)
  if (known !== undefined) return known
  if (blob.sizeBytes > mostConfigBytes) return byTypes
  return kindOf(parsed, Buffer.concat(await (await blobs.read(blob)).toArray()))
}

async function knownKind(records: Records, digest: Digest): Promise<ManifestKind | undefined> {
  const row = await records.read.selectFrom('manifests').select('kind').where('digest', '=', digest).executeTakeFirst()
  return row?.kind as ManifestKind | undefined
}

async function requireParts(tx: Tx, repositoryId: number, parsed: ParsedManifest): Promise<void> {
  const config = parsed.config === undefined ? [] : [parsed.config]
  const wantedBlobs = [...config, ...parsed.layers.filter(isDistributed), ...blobsOfIndex(parsed)].map((part) => part.digest)
  const wantedManifests = manifestsOfIndex(parsed).map((child) => child.digest)
  const absent = [
    ...(await absentFrom(wantedBlobs, (some) =>
      tx
        .selectFrom('blob_links')
        .innerJoin('blobs', 'blobs.id', 'blob_links.blob_id')
        .select('blobs.digest')
        .where('blob_links.repository_id', '=', repositoryId)
        .where('blobs.digest', 'in', some)
        .$if(locksRows(tx), (query) => query.forKeyShare('blob_links')) // the collection leaves them in until this manifest holds them
        .execute(),
    )),
    ...(await absentFrom(wantedManifests, (some) =>
      tx
        .selectFrom('manifest_links')
        .innerJoin('manifests', 'manifests.id', 'manifest_links.manifest_id')
        .select('manifests.digest')
        .where('manifest_links.repository_id', '=', repositoryId)
        .where('manifests.digest', 'in', some)
        .execute(),
    )),
  ]
  if (absent.length > 0) throw missingParts(absent)
}

/** Layers that may stay elsewhere: OCI image-spec, "Non-distributable layers"; Docker's foreign ones. */
function isDistributed(layer: Descriptor): boolean {
  return !/nondistributable|\.foreign\./.test(layer.mediaType)
}

async function absentFrom(wanted: Digest[], look: (some: string[]) => Promise<{ digest: string }[]>): Promise<Digest[]> {
  const distinct = [...new Set(wanted)]
  const here = new Set<string>()
  for (let at = 0; at < distinct.length; at += 500) for (const row of await look(distinct.slice(at, at + 500))) here.add(row.digest)
  return distinct.filter((digest) => !here.has(digest))
}

function missingParts(digests: Digest[]): LazaretError {
  const more = digests.length > 1 ? ` and ${digests.length - 1} more` : ''
  return new LazaretError('MANIFEST_BLOB_UNKNOWN', `the manifest names ${digests[0] ?? '?'}${more}, which this repository does not hold`, {
    detail: digests.slice(0, 20).map((digest) => ({ digest })),
  })
}

/** One that was collected between two looks is made anew. */
const mostLooks = 5

async function recordManifest(tx: Tx, manifest: Manifest, parsed: ParsedManifest, bytes: Buffer, now: number): Promise<number> {
  for (let looks = 0; looks < mostLooks; looks++) {
    const known = await tx
      .selectFrom('manifests')
      .select('id')
      .where('digest', '=', manifest.digest)
      .$if(locksRows(tx), (query) => query.forKeyShare())
      .executeTakeFirst()
    if (known !== undefined) return known.id
    const made = await insertManifest(tx, manifest, bytes, now)
    if (made === undefined) continue
    await recordParts(tx, made.id, manifest, parsed)
    return made.id
  }
  throw new LazaretError('INTERNAL', `manifest ${manifest.digest} was not recorded`)
}

/** Out: undefined where another has it recorded meanwhile. */
function insertManifest(tx: Tx, manifest: Manifest, bytes: Buffer, now: number): Promise<{ id: number } | undefined> {
  return tx
    .insertInto('manifests')
    .values({
      digest: manifest.digest,
      kind: manifest.kind,
      media_type: manifest.mediaType,
      artifact_type: manifest.artifactType ?? null,
      subject: manifest.subject?.digest ?? null,
      annotations: JSON.stringify(manifest.annotations),
      config_digest: manifest.config?.digest ?? null,
      size: manifest.sizeBytes,
      content: bytes,
      created_at: now,
    })
    .onConflict((conflict) => conflict.column('digest').doNothing())
    .returning('id')
    .executeTakeFirst()
}

async function recordParts(tx: Tx, manifestId: number, manifest: Manifest, parsed: ParsedManifest): Promise<void> {
  const config = parsed.config === undefined ? [] : [{ ...parsed.config, role: 'config' }]
  const blobs = [...config, ...manifest.layers.map((layer) => ({ ...layer, role: 'layer' }))]
  const blobRows = blobs.map((blob, position) => ({
    manifest_id: manifestId,
    position,
    blob_digest: blob.digest,
    media_type: blob.mediaType,
    role: blob.role,
  }))
  const childRows = manifest.children.map((child, position) => ({
    manifest_id: manifestId,
    position,
    child_digest: child.digest,
    platform: platformText(child),
    attests: attestedBy(child),
  }))
  for (let at = 0; at < blobRows.length; at += 200)
    await tx
      .insertInto('manifest_blobs')
      .values(blobRows.slice(at, at + 200))
      .execute()
  for (let at = 0; at < childRows.length; at += 200)
    await tx
      .insertInto('manifest_children')
      .values(childRows.slice(at, at + 200))
      .execute()
}

function platformText(child: Descriptor): string | null {
  if (child.platform === undefined) return null
  const { os, architecture, variant } = child.platform
  return [os, architecture, ...(variant === undefined ? [] : [variant])].join('/')
}

/** BuildKit's attestation manifests say in the index which child they describe. */
function attestedBy(child: Descriptor): string | null {
  if (child.annotations?.['vnd.docker.reference.type'] !== 'attestation-manifest') return null
  return parseDigest(child.annotations['vnd.docker.reference.digest']) ?? null
}

/** Before its tags: a deletion takes the link first too, and they don't wait for each other in a ring. */
async function linkManifest(tx: Tx, repositoryId: number, manifestId: number, incoming: Incoming, now: number): Promise<void> {
  await tx
    .insertInto('manifest_links')
    .values({ repository_id: repositoryId, manifest_id: manifestId, pushed_at: now, pushed_by: incoming.principal })
    .onConflict((conflict) =>
      conflict.columns(['repository_id', 'manifest_id']).doUpdateSet({ pushed_at: now, pushed_by: incoming.principal }),
    )
    .execute()
  await sql`insert into blob_holders (repository_id, blob_digest, manifest_id)
    select distinct cast(${repositoryId} as bigint), blob_digest, manifest_id from manifest_blobs where manifest_id = ${manifestId}
    on conflict (repository_id, blob_digest, manifest_id) do nothing`.execute(tx)
}

/**
 * Another tag on a manifest that stands judged here changes nothing of its verdict: new advisories, another policy and a damaged or
 * healed blob have jobs of their own. An examination that failed is made anew by each push.
 */
async function standsJudged(tx: Tx, repositoryId: number, manifestId: number, now: number): Promise<boolean> {
  const { rows } = await sql`select 1 from verdicts v left join evidence e on e.manifest_id = v.manifest_id
    where v.repository_id = ${repositoryId} and v.manifest_id = ${manifestId} and v.decision <> 'pending'
    and (v.valid_until is null or v.valid_until > ${now}) and (e.extractors is null or e.extractors <> 'unfinished')`.execute(tx)
  return rows.length > 0
}

function changeOf({ principal, address, immutableTags }: Incoming, at: number): Change {
  return { actor: { principal, address }, at, immutableTags }
}

/** In one order by all pushes. Out: where each tag pointed before, null where it is new. */
async function placeTags(
  tx: Tx,
  repository: Repository,
  manifest: { id: number; digest: Digest },
  tags: readonly string[],
  change: Change,
): Promise<Map<string, Digest | null>> {
  const before = new Map<string, Digest | null>()
  for (const tag of tags.toSorted()) before.set(tag, await placeTag(tx, { repository, tag, manifest, way: 'push' }, change))
  return before
}

async function auditPush(
  tx: Tx,
  repository: string,
  digest: Digest,
  tags: ReadonlyMap<string, Digest | null>,
  change: Change,
): Promise<void> {
  const entries = [...tags].map(([tag, from]) =>
    audited(change, 'tag.push', `${repository}:${tag}`, { digest, ...(from === digest ? {} : { from }) }),
  )
  await recordAudit(tx, ...(entries.length > 0 ? entries : [audited(change, 'manifest.push', `${repository}@${digest}`, {})]))
}
