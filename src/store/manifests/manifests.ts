import { sql } from 'kysely'
import type { Digest } from '../../model/digest.ts'
import type { ManifestKind } from '../../model/manifest.ts'
import type { Decision } from '../../model/verdict.ts'
import type { Records } from '../records/records.ts'

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
  /** Manifests of this repository whose subject this is, whether or not the subject is here. */
  referrers(repositoryId: number, subject: Digest, artifactType: string | undefined, after: string, limit: number): Promise<Referrer[]>
  /** How the manifests stand that hold this blob in this repository: the best of them, undefined where there is none. */
  standingOfBlob(repositoryId: number, digest: Digest, now: number): Promise<BlobStanding | undefined>
  /** Tags whose images may be pulled, newest first. */
  passingTags(repositoryId: number, limit: number, now: number): Promise<{ tag: string; digest: Digest }[]>
  deleteTag(repositoryId: number, tag: string): Promise<boolean>
  /** Takes it out of the repository with its tags. */
  deleteManifest(repositoryId: number, digest: Digest): Promise<boolean>
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
  const byTag = records.prepare<HeldManifest>(
    `select ${held} from repositories r join tags t on t.repository_id = r.id and t.name = ? join manifests m on m.id = t.manifest_id ${heldJoins} where r.name = ?`,
  )
  const byDigest = records.prepare<HeldManifest>(
    `select ${held} from repositories r join manifests m on m.digest = ? ${heldJoins} where r.name = ?`,
  )
  const tags = records.prepare<{ name: string }>('select name from tags where repository_id = ? and name > ? order by name limit ?')
  const repositories = records.prepare<{ name: string }>('select name from repositories where name > ? order by name limit ?')
  const blobStanding = records.prepare<BlobStanding>(
    `select m.digest as "manifestDigest", m.kind as kind, m.id as "manifestId", v.decision as decision, v.reasons as reasons
     from manifest_blobs b join manifests m on m.id = b.manifest_id
     join manifest_links l on l.manifest_id = m.id and l.repository_id = ?
     left join verdicts v on v.manifest_id = m.id and v.repository_id = l.repository_id and (v.valid_until is null or v.valid_until > ?)
     where b.blob_digest = ?
     order by case when v.decision in ('allow', 'warn') then 0 when m.kind = 'cache' then 1 when v.decision is null then 2 else 3 end limit 1`,
  )
  return {
    byTag: (repository, tag) => byTag.first(tag, repository),
    byDigest: (repository, digest) => byDigest.first(digest, repository),
    tags: async (repositoryId, after, limit) => (await tags.all(repositoryId, after, limit)).map((row) => row.name),
    repositories: async (after, limit) => (await repositories.all(after, limit)).map((row) => row.name),
    referrers: (repositoryId, subject, artifactType, after, limit) => referrers(records, repositoryId, subject, artifactType, after, limit),
    standingOfBlob: (repositoryId, digest, now) => blobStanding.first(repositoryId, now, digest),
    passingTags: (repositoryId, limit, now) => passingTags(records, repositoryId, limit, now),
    async deleteTag(repositoryId, tag) {
      const gone = await records.write((tx) =>
        tx.deleteFrom('tags').where('repository_id', '=', repositoryId).where('name', '=', tag).executeTakeFirst(),
      )
      return gone.numDeletedRows > 0n
    },
    deleteManifest: (repositoryId, digest) => deleteManifest(records, repositoryId, digest),
  }
}

function referrers(records: Records, repositoryId: number, subject: Digest, artifactType: string | undefined, after: string, limit: number): Promise<Referrer[]> {
  return records.read
    .selectFrom('manifests')
    .innerJoin('manifest_links', 'manifest_links.manifest_id', 'manifests.id')
    .select(['digest', 'media_type as mediaType', 'size as sizeBytes', 'artifact_type as artifactType', 'annotations'])
    .where('manifest_links.repository_id', '=', repositoryId)
    .where('subject', '=', subject)
    .where('digest', '>', after)
    .$if(artifactType !== undefined, (query) => query.where('artifact_type', '=', artifactType ?? ''))
    .orderBy('digest')
    .limit(limit)
    .$castTo<Referrer>()
    .execute()
}

function passingTags(records: Records, repositoryId: number, limit: number, now: number): Promise<{ tag: string; digest: Digest }[]> {
  return records.read
    .selectFrom('tags')
    .innerJoin('manifests', 'manifests.id', 'tags.manifest_id')
    .innerJoin('verdicts', (join) =>
      join.onRef('verdicts.manifest_id', '=', 'tags.manifest_id').onRef('verdicts.repository_id', '=', 'tags.repository_id'),
    )
    .select(['tags.name as tag', 'manifests.digest'])
    .where('tags.repository_id', '=', repositoryId)
    .where('verdicts.decision', 'in', ['allow', 'warn'])
    .where('manifests.kind', 'in', ['image', 'index'])
    .where(sql<boolean>`(verdicts.valid_until is null or verdicts.valid_until > ${now})`)
    .orderBy('tags.updated_at', 'desc')
    .limit(limit)
    .$castTo<{ tag: string; digest: Digest }>()
    .execute()
}

function deleteManifest(records: Records, repositoryId: number, digest: Digest): Promise<boolean> {
  return records.write(async (tx) => {
    const manifest = await tx.selectFrom('manifests').select('id').where('digest', '=', digest).executeTakeFirst()
    if (manifest === undefined) return false
    await tx.deleteFrom('tags').where('repository_id', '=', repositoryId).where('manifest_id', '=', manifest.id).execute()
    await tx.deleteFrom('verdicts').where('repository_id', '=', repositoryId).where('manifest_id', '=', manifest.id).execute()
    const gone = await tx
      .deleteFrom('manifest_links')
      .where('repository_id', '=', repositoryId)
      .where('manifest_id', '=', manifest.id)
      .executeTakeFirst()
    return gone.numDeletedRows > 0n
  })
}
