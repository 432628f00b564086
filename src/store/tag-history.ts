import { LazaretError } from '../kit/errors.ts'
import type { Digest } from '../model/digest.ts'
import { immutableBy } from '../model/repository-settings.ts'
import { recordAudit, type Actor, type AuditEntry } from './audit.ts'
import { locksRows } from './records/locks.ts'
import type { Records, Tx } from './records/records.ts'

export type MoveWay = 'push' | 'delete' | 'restore'

/** Who changes something, when, and which tags stay as they are. */
export interface Change {
  actor: Actor
  /** Milliseconds since 1970. */
  at: number
  /** undefined: none. */
  immutableTags: ImmutableTags | undefined
}

export interface ImmutableTags {
  patterns: readonly string[]
  /** The rule's pattern of repositories. */
  match: string
}

/** A tag, and what it comes to point to. */
export interface Placing {
  repository: { id: number; name: string }
  tag: string
  manifest: { id: number; digest: Digest }
  way: MoveWay
}

/** One step of a tag; null: it was not there. */
export interface TagMove {
  id: number
  from: Digest | null
  to: Digest | null
  at: number
  by: string
  way: MoveWay
}

/**
 * Points a tag at a manifest, and writes down where it pointed before. Out: that digest, null where the tag is new.
 * Throws DENIED, naming the rule and the digest that stays, where an immutable tag would move. Two at once come one after the other.
 */
export async function placeTag(tx: Tx, placing: Placing, change: Change): Promise<Digest | null> {
  const { repository, tag, manifest } = placing
  const row = { manifest_id: manifest.id, updated_at: change.at, updated_by: change.actor.principal }
  const made = await tx
    .insertInto('tags')
    .values({ repository_id: repository.id, name: tag, ...row })
    .onConflict((conflict) => conflict.columns(['repository_id', 'name']).doNothing())
    .executeTakeFirst()
  if (made.numInsertedOrUpdatedRows === 1n) {
    await recordMoves(tx, repository.id, [tag], { from: null, to: manifest.digest }, placing.way, change)
    return null
  }
  const before = await heldTag(tx, repository.id, tag)
  if (before === undefined) return placeTag(tx, placing, change) // deleted between the two looks
  if (before.id !== manifest.id) requireMovable(repository.name, tag, before.digest, change)
  await tx.updateTable('tags').set(row).where('repository_id', '=', repository.id).where('name', '=', tag).execute()
  if (before.id !== manifest.id)
    await recordMoves(tx, repository.id, [tag], { from: before.digest, to: manifest.digest }, placing.way, change)
  return before.digest
}

/** Takes a tag away. Out: where it pointed, undefined where there is none. Throws DENIED where it is immutable. */
export async function removeTag(tx: Tx, repositoryId: number, tag: string, change: Change): Promise<Digest | undefined> {
  const before = await heldTag(tx, repositoryId, tag)
  if (before === undefined) return undefined
  const name = await repositoryName(tx, repositoryId)
  requireMovable(name, tag, before.digest, change)
  await tx.deleteFrom('tags').where('repository_id', '=', repositoryId).where('name', '=', tag).execute()
  await recordMoves(tx, repositoryId, [tag], { from: before.digest, to: null }, 'delete', change)
  await recordAudit(tx, audited(change, 'tag.delete', `${name}:${tag}`, { digest: before.digest }))
  return before.digest
}

/** Takes all tags of a manifest away, as it goes itself. Out: their names. Throws DENIED where one of them is immutable. */
export async function removeTagsOf(tx: Tx, repositoryId: number, manifest: Placing['manifest'], change: Change): Promise<string[]> {
  const of = { repository_id: repositoryId, manifest_id: manifest.id }
  const rows = await tx
    .selectFrom('tags')
    .select('name')
    .where((where) => where.and(of))
    .orderBy('name')
    .$if(locksRows(tx), (query) => query.forUpdate())
    .execute()
  const tags = rows.map((row) => row.name)
  const kept = tags.find((tag) => immutableBy(change.immutableTags?.patterns ?? [], tag) !== undefined)
  if (kept !== undefined) requireMovable(await repositoryName(tx, repositoryId), kept, manifest.digest, change)
  await tx
    .deleteFrom('tags')
    .where((where) => where.and(of))
    .execute()
  await recordMoves(tx, repositoryId, tags, { from: manifest.digest, to: null }, 'delete', change)
  return tags
}

/** Out: a page of what a tag did, the newest first. */
export async function tagMoves(
  records: Records,
  repositoryId: number,
  tag: string,
  page: { before?: number; limit: number },
): Promise<TagMove[]> {
  const rows = await records.read
    .selectFrom('tag_moves')
    .selectAll()
    .where('repository_id', '=', repositoryId)
    .where('tag', '=', tag)
    .$if(page.before !== undefined, (some) => some.where('id', '<', page.before ?? 0))
    .orderBy('id', 'desc')
    .limit(page.limit)
    .execute()
  return rows.map((row) => ({
    id: row.id,
    from: row.from_digest as Digest | null,
    to: row.to_digest as Digest | null,
    at: row.moved_at,
    by: row.moved_by,
    way: row.way as MoveWay,
  }))
}

/**
 * Points a tag again at what it pointed to before, as often as wanted. Out: where it pointed until now.
 * Errors: NOT_FOUND where it never pointed there, CONFLICT where that manifest is gone from the repository, DENIED as by `placeTag`.
 */
export function restoreTag(
  records: Records,
  repository: { id: number; name: string },
  tag: string,
  digest: Digest,
  change: Change,
): Promise<Digest | null> {
  const name = `${repository.name}:${tag}`
  return records.write(async (tx) => {
    const known = await tx
      .selectFrom('tag_moves')
      .select('id')
      .where('repository_id', '=', repository.id)
      .where('tag', '=', tag)
      .where((where) => where.or([where('to_digest', '=', digest), where('from_digest', '=', digest)]))
      .limit(1)
      .executeTakeFirst()
    if (known === undefined) throw new LazaretError('NOT_FOUND', `${name} never was ${digest}`)
    const manifest = await tx
      .selectFrom('manifest_links as l')
      .innerJoin('manifests as m', 'm.id', 'l.manifest_id')
      .select('m.id')
      .where('l.repository_id', '=', repository.id)
      .where('m.digest', '=', digest)
      .$if(locksRows(tx), (query) => query.forKeyShare('l'))
      .executeTakeFirst()
    if (manifest === undefined) throw new LazaretError('CONFLICT', `${repository.name} no longer holds ${digest}`)
    const from = await placeTag(tx, { repository, tag, manifest: { id: manifest.id, digest }, way: 'restore' }, change)
    await recordAudit(tx, audited(change, 'tag.restore', name, { digest, from }))
    return from
  })
}

export function audited(change: Change, action: string, subject: string, detail: Record<string, unknown>): AuditEntry {
  return { ...change.actor, action, subject, result: 'done', detail, at: change.at }
}

export async function repositoryName(tx: Tx, repositoryId: number): Promise<string> {
  return (await tx.selectFrom('repositories').select('name').where('id', '=', repositoryId).executeTakeFirst())?.name ?? `#${repositoryId}`
}

function requireMovable(repository: string, tag: string, digest: Digest, { immutableTags }: Change): void {
  const pattern = immutableBy(immutableTags?.patterns ?? [], tag)
  if (pattern === undefined || immutableTags === undefined) return
  const rule = `immutableTags ${pattern} of ${immutableTags.match}`
  throw new LazaretError(
    'DENIED',
    `${repository}:${tag} stays at ${digest}: ${rule}. Take another tag, or have an administrator lift the rule`,
    {
      detail: { tag, digest, rule: { immutableTags: pattern, match: immutableTags.match } },
    },
  )
}

function heldTag(tx: Tx, repositoryId: number, tag: string): Promise<{ id: number; digest: Digest } | undefined> {
  return tx
    .selectFrom('tags as t')
    .innerJoin('manifests as m', 'm.id', 't.manifest_id')
    .select(['m.id', 'm.digest'])
    .where('t.repository_id', '=', repositoryId)
    .where('t.name', '=', tag)
    .$if(locksRows(tx), (query) => query.forUpdate('t'))
    .$castTo<{ id: number; digest: Digest }>()
    .executeTakeFirst()
}

/** Of all these tags the same move, by one who was let to. */
export async function recordMoves(
  tx: Tx,
  repositoryId: number,
  tags: readonly string[],
  { from, to }: Pick<TagMove, 'from' | 'to'>,
  way: MoveWay,
  { actor, at }: { actor: Pick<Actor, 'principal'>; at: number },
): Promise<void> {
  const rows = tags.map((tag) => ({
    repository_id: repositoryId,
    tag,
    from_digest: from,
    to_digest: to,
    moved_at: at,
    moved_by: actor.principal,
    way,
  }))
  for (let start = 0; start < rows.length; start += 100)
    await tx
      .insertInto('tag_moves')
      .values(rows.slice(start, start + 100))
      .execute()
}
