import { sql } from 'kysely'
import { LazaretError } from '../../kit/errors.ts'
import { may, type Principal } from '../../model/access.ts'
import type { Digest } from '../../model/digest.ts'
import type { ManifestKind } from '../../model/manifest.ts'
import type { Decision } from '../../model/verdict.ts'
import { wholeChainOf } from '../../store/chains.ts'
import type { Manifests } from '../../store/manifests/manifests.ts'
import type { Records } from '../../store/records/records.ts'
import { prefixesOf } from './findings.ts'

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
  /** Of an image: only what was built on it, straight or through another. */
  base?: Digest
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
  const rows = await imageRows(records, query)
    .where('r.name', '=', repository)
    .where('l.manifest_id', '>', after)
    .orderBy('l.manifest_id')
    .limit(limit)
    .execute()
  return shownRows(records, rows, query)
}

/** Images in repositories, with how they stand there. */
function imageRows(records: Records, { decision }: ImageQuery) {
  return records.read
    .selectFrom('repositories as r')
    .innerJoin('manifest_links as l', 'l.repository_id', 'r.id')
    .innerJoin('manifests as m', 'm.id', 'l.manifest_id')
    .leftJoin('verdicts as v', (join) => join.onRef('v.manifest_id', '=', 'm.id').onRef('v.repository_id', '=', 'r.id'))
    .select(['m.id', 'm.digest', 'm.kind', 'm.media_type', 'm.size', 'l.pushed_at', 'l.pushed_by', 'l.pulled_at'])
    .select(['r.id as repositoryId', 'r.name as repository'])
    .select(sql<Decision>`coalesce(v.decision, 'pending')`.as('decision'))
    .$if(decision !== undefined, (some) => some.where(sql<boolean>`coalesce(v.decision, 'pending') = ${decision ?? ''}`))
}

type Row = Awaited<ReturnType<ReturnType<typeof imageRows>['execute']>>[number]

async function shownRows(records: Records, rows: Row[], query: ImageQuery): Promise<(ImageRow & { manifestId: number })[]> {
  const tags = await tagsOf(records, rows)
  return rows.map((row) => ({
    manifestId: row.id,
    repository: row.repository,
    digest: row.digest as Digest,
    kind: row.kind as ManifestKind,
    mediaType: row.media_type,
    sizeBytes: row.size,
    pushedAt: new Date(row.pushed_at).toISOString(),
    pushedBy: row.pushed_by,
    decision: row.decision,
    tags: tags.get(keyOf(row.repositoryId, row.id)) ?? [],
    ...(row.pulled_at === null ? {} : { lastPulledAt: new Date(row.pulled_at).toISOString() }),
    inUse: row.pulled_at !== null && row.pulled_at >= query.inUseSince,
  }))
}

const manifestsAtOnce = 200

/**
 * Images that were built on one, straight or through another, by when they were first here. The one itself must be the caller's to
 * pull. Throws MANIFEST_UNKNOWN where it is not here, or not theirs; INPUT_INVALID where its layers are not known.
 */
export async function listBuiltOn(
  records: Records,
  principal: Principal,
  query: ImageQuery & { base: Digest },
): Promise<{ items: ImageRow[]; next?: string }> {
  const chain = await chainOfVisible(records, principal, query.base)
  let cursor: Cursor | undefined = (query.after === undefined ? undefined : parseCursor(query.after)) ?? { repository: '', manifestId: 0 }
  const found: Row[] = []
  while (cursor !== undefined && found.length <= query.limit) {
    const ids = await manifestsAbove(records, chain, cursor.manifestId)
    const rows = ids.length === 0 ? [] : await placesOf(records, principal, ids, cursor, query)
    found.push(...rows.filter(({ repository }) => may(principal, 'pull', repository)))
    cursor = ids.length < manifestsAtOnce ? undefined : { manifestId: (ids.at(-1) ?? 0) + 1, repository: '' }
  }
  const page = found.slice(0, query.limit)
  const items = (await shownRows(records, page, query)).map(({ manifestId: _, ...row }) => row)
  const last = page.at(-1)
  return found.length > query.limit && last !== undefined ? { items, next: `${last.id}@${last.repository}` } : { items }
}

/** A step of its own: in one query with all the rest PostgreSQL sorts all that was built on a base before it gives the first. */
async function manifestsAbove(records: Records, chain: Digest, from: number): Promise<number[]> {
  const rows = await records.read
    .selectFrom('image_chains')
    .select('manifest_id')
    .where('chain', '=', chain)
    .where('whole', '=', 0)
    .where('manifest_id', '>=', from)
    .orderBy('manifest_id')
    .limit(manifestsAtOnce)
    .execute()
  return rows.map((row) => row.manifest_id)
}

/** What the caller surely may not see the database leaves out. */
function placesOf(records: Records, principal: Principal, ids: number[], after: Cursor, query: ImageQuery): Promise<Row[]> {
  const prefixes = prefixesOf(principal)
  return imageRows(records, query)
    .where('l.manifest_id', 'in', ids)
    .where((of) => of.or([of('l.manifest_id', '>', after.manifestId), of('r.name', '>', after.repository)]))
    .$if(query.repository !== undefined, (some) => some.where('r.name', '=', query.repository ?? ''))
    .$if(prefixes !== undefined, (some) => some.where((of) => of.or((prefixes ?? []).map((one) => of('r.name', 'like', `${one}%`)))))
    .orderBy('l.manifest_id')
    .orderBy('r.name')
    .execute()
}

async function chainOfVisible(records: Records, principal: Principal, digest: Digest): Promise<Digest> {
  const holders = await records.read
    .selectFrom('manifests as m')
    .innerJoin('manifest_links as l', 'l.manifest_id', 'm.id')
    .innerJoin('repositories as r', 'r.id', 'l.repository_id')
    .select(['m.id', 'r.name'])
    .where('m.digest', '=', digest)
    .execute()
  const mine = holders.find(({ name }) => may(principal, 'pull', name))
  if (mine === undefined) throw new LazaretError('MANIFEST_UNKNOWN', `no image ${digest} that you may pull`)
  const chain = await wholeChainOf(records, mine.id)
  if (chain === undefined) throw new LazaretError('INPUT_INVALID', `${digest} is no image, or not all of its layers have been read`)
  return chain
}

const mostTagsShown = 100

/** By repository and manifest. */
async function tagsOf(records: Records, rows: { id: number; repositoryId: number }[]): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>(rows.map((row) => [keyOf(row.repositoryId, row.id), []]))
  if (rows.length === 0) return found
  const tags = await records.read
    .selectFrom('tags')
    .select(['name', 'repository_id', 'manifest_id'])
    .where('manifest_id', 'in', [...new Set(rows.map((row) => row.id))])
    .where('repository_id', 'in', [...new Set(rows.map((row) => row.repositoryId))])
    .orderBy('name')
    .execute()
  for (const tag of tags) {
    const list = found.get(keyOf(tag.repository_id, tag.manifest_id))
    if (list !== undefined && list.length < mostTagsShown) list.push(tag.name)
  }
  return found
}

function keyOf(repositoryId: number, manifestId: number): string {
  return `${repositoryId} ${manifestId}`
}
