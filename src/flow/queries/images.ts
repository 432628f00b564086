import { sql } from 'kysely'
import { may, type Principal } from '../../model/access.ts'
import type { Digest } from '../../model/digest.ts'
import type { ManifestKind } from '../../model/manifest.ts'
import type { Decision } from '../../model/verdict.ts'
import type { Manifests } from '../../store/manifests/manifests.ts'
import type { Records } from '../../store/records/records.ts'

export interface ImageRow {
  repository: string
  digest: Digest
  kind: ManifestKind
  mediaType: string
  sizeBytes: number
  pushedAt: string
  pushedBy: string
  decision: Decision
  tags: string[]
  /** Where a pull is on record. */
  lastPulledAt?: string
  /** Pulled within `inUse.days`. */
  inUse: boolean
}

export interface ImageQuery {
  repository?: string
  decision?: Decision
  limit: number
  /** The `next` of the page before. */
  after?: string
  /** Pulled since then (milliseconds since 1970): in use. */
  inUseSince: number
}

interface Cursor {
  repository: string
  manifestId: number
}

const mostRepositoriesAtOnce = 1000

/** Manifests of the repositories that this caller may pull, in the order of repository and push. Out: a page, and where the next begins. */
export async function listImages(
  records: Records,
  manifests: Manifests,
  principal: Principal,
  query: ImageQuery,
): Promise<{ items: ImageRow[]; next?: string }> {
  const cursor = query.after === undefined ? undefined : parseCursor(query.after)
  const items: (ImageRow & { manifestId: number })[] = []
  for await (const repository of visible(manifests, principal, query.repository, cursor?.repository ?? '')) {
    const after = repository === cursor?.repository ? cursor.manifestId : 0
    items.push(...(await imagesOf(records, repository, after, query, query.limit + 1 - items.length)))
    if (items.length > query.limit) break
  }
  const page = items.slice(0, query.limit)
  const last = page.at(-1)
  const next = items.length > query.limit && last !== undefined ? { next: `${last.manifestId}@${last.repository}` } : {}
  return { items: page.map(({ manifestId: _, ...row }) => row), ...next }
}

function parseCursor(text: string): Cursor | undefined {
  const match = /^(\d{1,15})@(.+)$/.exec(text)
  return match === null ? undefined : { manifestId: Number(match[1]), repository: match[2] ?? '' }
}

/** Names in order that the caller may pull, the one named `from` among them. */
async function* visible(manifests: Manifests, principal: Principal, only: string | undefined, from: string): AsyncGenerator<string> {
  if (only !== undefined) {
    if (may(principal, 'pull', only)) yield only
    return
  }
  if (from !== '' && may(principal, 'pull', from)) yield from
  let after = from
  for (;;) {
    const names = await manifests.repositories(after, mostRepositoriesAtOnce)
    for (const name of names) if (may(principal, 'pull', name)) yield name
    if (names.length < mostRepositoriesAtOnce) return
    after = names.at(-1) ?? ''
  }
}

async function imagesOf(
  records: Records,
  repository: string,
  after: number,
  query: ImageQuery,
  limit: number,
): Promise<(ImageRow & { manifestId: number })[]> {
  const rows = await records.read
    .selectFrom('repositories as r')
    .innerJoin('manifest_links as l', 'l.repository_id', 'r.id')
    .innerJoin('manifests as m', 'm.id', 'l.manifest_id')
    .leftJoin('verdicts as v', (join) => join.onRef('v.manifest_id', '=', 'm.id').onRef('v.repository_id', '=', 'r.id'))
    .select(['m.id', 'm.digest', 'm.kind', 'm.media_type', 'm.size', 'l.pushed_at', 'l.pushed_by', 'l.pulled_at', 'r.id as repositoryId'])
    .select(sql<Decision>`coalesce(v.decision, 'pending')`.as('decision'))
    .where('r.name', '=', repository)
    .where('l.manifest_id', '>', after)
    .$if(query.decision !== undefined, (some) => some.where(sql<boolean>`coalesce(v.decision, 'pending') = ${query.decision ?? ''}`))
    .orderBy('l.manifest_id')
    .limit(limit)
    .execute()
  const tags = await tagsOf(records, rows)
  return rows.map((row) => ({
    manifestId: row.id,
    repository,
    digest: row.digest as Digest,
    kind: row.kind as ManifestKind,
    mediaType: row.media_type,
    sizeBytes: row.size,
    pushedAt: new Date(row.pushed_at).toISOString(),
    pushedBy: row.pushed_by,
    decision: row.decision,
    tags: tags.get(row.id) ?? [],
    ...(row.pulled_at === null ? {} : { lastPulledAt: new Date(row.pulled_at).toISOString() }),
    inUse: row.pulled_at !== null && row.pulled_at >= query.inUseSince,
  }))
}

const mostTagsShown = 100

async function tagsOf(records: Records, rows: { id: number; repositoryId: number }[]): Promise<Map<number, string[]>> {
  const found = new Map<number, string[]>()
  const repositoryId = rows[0]?.repositoryId
  if (repositoryId === undefined) return found
  const tags = await records.read
    .selectFrom('tags')
    .select(['name', 'manifest_id'])
    .where('repository_id', '=', repositoryId)
    .where(
      'manifest_id',
      'in',
      rows.map((row) => row.id),
    )
    .orderBy('name')
    .execute()
  for (const tag of tags) {
    const list = found.get(tag.manifest_id) ?? []
    if (list.length < mostTagsShown) list.push(tag.name)
    found.set(tag.manifest_id, list)
  }
  return found
}
