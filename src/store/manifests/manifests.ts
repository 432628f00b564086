import { sql } from 'kysely'
import type { Digest } from '../../model/digest.ts'
import type { ManifestKind } from '../../model/manifest.ts'
import type { Decision } from '../../model/verdict.ts'
import { recordAudit, systemActor } from '../audit.ts'
import { setAside } from '../collection/deleted.ts'
import { addJob } from '../jobs/jobs.ts'
import type { Records, Tx } from '../records/records.ts'
import { lockRepository } from '../repositories.ts'
import { audited, removeTag, removeTagsOf, repositoryName, type Change } from '../tag-history.ts'

/** A manifest as a repository holds it, with how it stands there now. */
export interface HeldManifest {
  id: number
  repositoryId: number
  digest: Digest
  kind: ManifestKind
  mediaType: string
  sizeBytes: number
  subject: Digest | null
  content: Uint8Array
  /** null: not judged yet. */
  decision: Decision | null
  validUntil: number | null
  /** JSON of `Reason[]`. */
  reasons: string | null
}

export interface Referrer {
  digest: Digest
  mediaType: string
  sizeBytes: number
  artifactType: string | null
  /** JSON. */
  annotations: string
}

/** Manifests and tags, as repositories hold them. Pages are by key: `after` is the last key of the page before. */
export interface Manifests {
  byTag(repository: string, tag: string): Promise<HeldManifest | undefined>
  byDigest(repository: string, digest: Digest): Promise<HeldManifest | undefined>
  tags(repositoryId: number, after: string, limit: number): Promise<string[]>
  repositories(after: string, limit: number): Promise<string[]>
  /** How a manifest stands now that was found before; undefined where the repository no longer holds it. */
  standing(repositoryId: number, manifestId: number): Promise<ManifestStanding | undefined>
  /** Manifests of this repository whose subject this is, whether or not the subject is here, in the order of their digests. */
  referrers(repositoryId: number, subject: Digest, query: ReferrerQuery): Promise<{ items: Referrer[]; more: boolean }>
  /**
   * How the manifests stand that hold this blob in this repository: one that passes; else one that waits, one that is denied and one
   * build cache, as far as there are. Empty where none holds it. What an index lists beside manifests is judged by nothing, and
   * stands for nothing.
   */
  standingsOfBlob(repositoryId: number, digest: Digest, now: number): Promise<BlobStanding[]>
  /** Tags whose images may be pulled, newest first; looked for among the newest 1,000. */
  passingTags(repositoryId: number, limit: number, now: number): Promise<{ tag: string; digest: Digest }[]>
  /** Out: false where there is none. Throws DENIED where it is immutable. In: who does it; by default the server itself. */
  deleteTag(repositoryId: number, tag: string, change?: Change): Promise<boolean>
  /**
   * Takes it out of the repository with its tags; it can be put back for the grace of the collection.
   * Throws DENIED where one of its tags is immutable. In: also who does it; by default the server itself.
   */
  deleteManifest(repositoryId: number, digest: Digest, now: number, change?: Change): Promise<boolean>
}

export type ManifestStanding = Pick<HeldManifest, 'decision' | 'validUntil' | 'reasons'>

/** A page ends before it holds more than either; the first entry always goes in. */
export interface ReferrerQuery {
  artifactType?: string
  after: string
  most: number
  mostBytes: number
}

export interface BlobStanding {
  manifestDigest: Digest
  kind: ManifestKind
  manifestId: number
  decision: Decision | null
  reasons: string | null
}

const held = `m.id as id, l.repository_id as "repositoryId", m.digest as digest, m.kind as kind, m.media_type as "mediaType",
  m.size as "sizeBytes", m.subject as subject, m.content as content, v.decision as decision, v.valid_until as "validUntil", v.reasons as reasons`
const heldJoins = `join manifest_links l on l.repository_id = r.id and l.manifest_id = m.id
  left join verdicts v on v.repository_id = r.id and v.manifest_id = m.id`

export function createManifests(records: Records): Manifests {
  const byTag = records.remember<HeldManifest>(
    `select ${held} from repositories r join tags t on t.repository_id = r.id and t.name = ? join manifests m on m.id = t.manifest_id ${heldJoins} where r.name = ?`,
  )
  const byDigest = records.remember<HeldManifest>(
    `select ${held} from repositories r join manifests m on m.digest = ? ${heldJoins} where r.name = ?`,
  )
  const tags = records.prepare<{ name: string }>('select name from tags where repository_id = ? and name > ? order by name limit ?')
  const repositories = records.prepare<{ name: string }>('select name from repositories where name > ? order by name limit ?')
  const standing = records.prepare<ManifestStanding>(
    `select v.decision as decision, v.valid_until as "validUntil", v.reasons as reasons from manifest_links l
     left join verdicts v on v.manifest_id = l.manifest_id and v.repository_id = l.repository_id where l.repository_id = ? and l.manifest_id = ?`,
  )
  return {
    byTag: (repository, tag) => byTag.first(tag, repository),
    byDigest: (repository, digest) => byDigest.first(digest, repository),
    tags: async (repositoryId, after, limit) => (await tags.all(repositoryId, after, limit)).map((row) => row.name),
    repositories: async (after, limit) => (await repositories.all(after, limit)).map((row) => row.name),
    standing: (repositoryId, manifestId) => standing.first(repositoryId, manifestId),
    referrers: (repositoryId, subject, query) => referrers(records, repositoryId, subject, query),
    standingsOfBlob: blobStandings(records),
    passingTags: (repositoryId, limit, now) => passingTags(records, repositoryId, limit, now),
    deleteTag: async (repositoryId, tag, change = bySystem(Date.now())) =>
      (await records.write((tx) => removeTag(tx, repositoryId, tag, change))) !== undefined,
    deleteManifest: (repositoryId, digest, now, change = bySystem(now)) => deleteManifest(records, repositoryId, digest, now, change),
  }
}

/** Sizes first: the annotations of a thousand referrers may be some gigabytes. */
async function referrers(
  records: Records,
  repositoryId: number,
  subject: Digest,
  query: ReferrerQuery,
): Promise<{ items: Referrer[]; more: boolean }> {
  const wanted = records.read
    .selectFrom('manifests')
    .innerJoin('manifest_links', 'manifest_links.manifest_id', 'manifests.id')
    .where('manifest_links.repository_id', '=', repositoryId)
    .where('subject', '=', subject)
    .where('digest', '>', query.after)
    .$if(query.artifactType !== undefined, (some) => some.where('artifact_type', '=', query.artifactType ?? ''))
    .orderBy('digest')
  const sizes = await wanted
    .select('size')
    .limit(query.most + 1)
    .execute()
  const count = howManyFit(
    sizes.map((row) => row.size),
    query,
  )
  if (count === 0) return { items: [], more: false }
  const items = await wanted
    .select(['digest', 'media_type as mediaType', 'size as sizeBytes', 'artifact_type as artifactType', 'annotations'])
    .limit(count)
    .$castTo<Referrer>()
    .execute()
  return { items, more: sizes.length > count }
}

function howManyFit(sizes: number[], { most, mostBytes }: ReferrerQuery): number {
  let bytes = 0
  const end = sizes.slice(0, most).findIndex((size, at) => (bytes += size) > mostBytes && at > 0)
  return end < 0 ? Math.min(sizes.length, most) : end
}

function blobStandings(records: Records): Manifests['standingsOfBlob'] {
  const columns = `m.digest as "manifestDigest", m.kind as kind, m.id as "manifestId", v.decision as decision, v.reasons as reasons`
  const holders = `from blob_holders h join manifests m on m.id = h.manifest_id and m.kind <> 'index'`
  const valid = `verdicts v on v.manifest_id = h.manifest_id and v.repository_id = h.repository_id and (v.valid_until is null or v.valid_until > ?)`
  const lasting = records.remember<BlobStanding>(
    `select ${columns} ${holders} join verdicts v on v.manifest_id = h.manifest_id and v.repository_id = h.repository_id and v.valid_until is null
     where h.repository_id = ? and h.blob_digest = ? and m.kind <> 'cache' and v.decision in ('allow', 'warn') limit 1`,
  )
  const passing = records.prepare<BlobStanding>(
    `select ${columns} ${holders} join ${valid} where h.repository_id = ? and h.blob_digest = ? and m.kind <> 'cache' and v.decision in ('allow', 'warn') limit 1`,
  )
  const others = records.prepare<BlobStanding>(
    `with standing as (
       select ${columns}, case when m.kind = 'cache' then 2 when v.decision = 'deny' then 1 else 0 end as word
       ${holders} left join ${valid} where h.repository_id = ? and h.blob_digest = ?),
     ranked as (select standing.*, row_number() over (partition by word order by "manifestId" desc) as nth from standing)
     select "manifestDigest", kind, "manifestId", decision, reasons from ranked where nth = 1 order by word`,
  )
  return async (repositoryId, digest, now) => {
    const one = (await lasting.first(repositoryId, digest)) ?? (await passing.first(now, repositoryId, digest))
    return one === undefined ? others.all(now, repositoryId, digest) : [one]
  }
}

/** A refusal names what may be pulled instead: it must not cost a walk over all tags. */
const mostTagsTried = 1000

function passingTags(records: Records, repositoryId: number, limit: number, now: number): Promise<{ tag: string; digest: Digest }[]> {
  return records.read
    .selectFrom((of) =>
      of
        .selectFrom('tags')
        .selectAll()
        .where('repository_id', '=', repositoryId)
        .orderBy('updated_at', 'desc')
        .limit(mostTagsTried)
        .as('tags'),
    )
    .innerJoin('manifests', 'manifests.id', 'tags.manifest_id')
    .innerJoin('verdicts', (join) =>
      join.onRef('verdicts.manifest_id', '=', 'tags.manifest_id').onRef('verdicts.repository_id', '=', 'tags.repository_id'),
    )
    .select(['tags.name as tag', 'manifests.digest'])
    .where('verdicts.decision', 'in', ['allow', 'warn'])
    .where('manifests.kind', 'in', ['image', 'index'])
    .where(sql<boolean>`(verdicts.valid_until is null or verdicts.valid_until > ${now})`)
    .orderBy('tags.updated_at', 'desc')
    .orderBy('tags.name')
    .limit(limit)
    .$castTo<{ tag: string; digest: Digest }>()
    .execute()
}

/** With its tags, its verdict and its word for blobs; indexes that list it are judged anew. */
function deleteManifest(records: Records, repositoryId: number, digest: Digest, now: number, change: Change): Promise<boolean> {
  return records.write(async (tx) => {
    const manifest = await tx.selectFrom('manifests').select('id').where('digest', '=', digest).executeTakeFirst()
    if (manifest === undefined) return false
    await lockRepository(tx, repositoryId)
    const here = { repository_id: repositoryId, manifest_id: manifest.id }
    await setAside(tx, here, change.actor.principal, now)
    const gone = await tx
      .deleteFrom('manifest_links')
      .where((of) => of.and(here))
      .executeTakeFirst()
    if (gone.numDeletedRows === 0n) return false
    const tags = await removeTagsOf(tx, repositoryId, { id: manifest.id, digest }, change)
    await tx
      .deleteFrom('verdicts')
      .where((of) => of.and(here))
      .execute()
    await sql`delete from blob_holders where repository_id = ${repositoryId} and manifest_id = ${manifest.id}
      and blob_digest in (select blob_digest from manifest_blobs where manifest_id = ${manifest.id})`.execute(tx)
    for (const parent of await parentsOf(tx, repositoryId, digest)) await addJob(tx, 'rejudge', parent, now)
    const name = await repositoryName(tx, repositoryId)
    await recordAudit(
      tx,
      audited(change, 'manifest.delete', `${name}@${digest}`, { tags: tags.slice(0, mostTagsTold), tagCount: tags.length }),
    )
    return true
  })
}

/** The history of each tag tells of all. */
const mostTagsTold = 20

function bySystem(at: number): Change {
  return { actor: systemActor, at, immutableTags: undefined }
}

async function parentsOf(tx: Tx, repositoryId: number, digest: Digest): Promise<string[]> {
  const rows = await tx
    .selectFrom('manifest_children as c')
    .innerJoin('manifest_links as l', 'l.manifest_id', 'c.manifest_id')
    .innerJoin('manifests as m', 'm.id', 'c.manifest_id')
    .select('m.digest')
    .distinct()
    .where('c.child_digest', '=', digest)
    .where('l.repository_id', '=', repositoryId)
    .execute()
  return rows.map((row) => row.digest)
}
