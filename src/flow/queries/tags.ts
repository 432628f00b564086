import { LazaretError } from '../../kit/errors.ts'
import { may, type Principal } from '../../model/access.ts'
import { parseDigest, type Digest } from '../../model/digest.ts'
import { parseImageReference } from '../../model/reference.ts'
import type { Actor } from '../../store/audit.ts'
import type { Records } from '../../store/records/records.ts'
import type { RepositorySettingsStore } from '../../store/repository-settings.ts'
import { restoreTag, tagMoves, type MoveWay } from '../../store/tag-history.ts'
import { beforeId } from './audit-log.ts'

export interface TagMoveRow {
  at: string
  by: string
  way: MoveWay
  /** Where it pointed until then; absent where it was not there. */
  from?: Digest
  /** Absent: it was taken away. */
  to?: Digest
  /** Whether the repository still holds `to`, so that the tag can be put back to it. */
  restorable: boolean
}

export interface TagQueries {
  /** What a tag did, the newest first. Errors: INPUT_INVALID, MANIFEST_UNKNOWN also for a repository that the caller may not pull. */
  history(principal: Principal, image: string, page: { limit: number; after?: string }): Promise<{ items: TagMoveRow[]; next?: string }>
  /**
   * Puts a tag back to a digest that it had. Out: what it is now, and was until now. Errors: as above, and DENIED where the caller may
   * not push there or the tag is immutable, NOT_FOUND, CONFLICT where the manifest is gone.
   */
  restore(principal: Principal, actor: Actor, image: string, to: string): Promise<{ image: string; digest: Digest; from?: Digest }>
}

export function createTagQueries(parts: { records: Records; repositorySettings: RepositorySettingsStore; now: () => number }): TagQueries {
  const { records, repositorySettings, now } = parts

  async function find(principal: Principal, image: string) {
    const reference = parseImageReference(image)
    if (reference?.tag === undefined) throw new LazaretError('INPUT_INVALID', `${JSON.stringify(image.slice(0, 140))} is not NAME:TAG`)
    const name = reference.repository
    const row = may(principal, 'pull', name)
      ? await records.read.selectFrom('repositories').select(['id', 'name']).where('name', '=', name).executeTakeFirst()
      : undefined
    if (row === undefined) throw new LazaretError('MANIFEST_UNKNOWN', `no tag ${name}:${reference.tag} that you may pull`)
    return { repository: row, tag: reference.tag }
  }

  return {
    async history(principal, image, { limit, after }) {
      const before = beforeId(after)
      const { repository, tag } = await find(principal, image)
      const moves = await tagMoves(records, repository.id, tag, { limit: limit + 1, ...(before === undefined ? {} : { before }) })
      if (moves.length === 0 && before === undefined)
        throw new LazaretError('MANIFEST_UNKNOWN', `no tag ${repository.name}:${tag} that you may pull`)
      const page = moves.slice(0, limit)
      const here = await heldOf(
        records,
        repository.id,
        page.flatMap((move) => move.to ?? []),
      )
      const items = page.map((move) => ({
        at: new Date(move.at).toISOString(),
        by: move.by,
        way: move.way,
        ...(move.from === null ? {} : { from: move.from }),
        ...(move.to === null ? {} : { to: move.to }),
        restorable: move.to !== null && here.has(move.to),
      }))
      const last = page.at(-1)
      return moves.length > limit && last !== undefined ? { items, next: String(last.id) } : { items }
    },
    async restore(principal, actor, image, to) {
      const digest = parseDigest(to)
      if (digest === undefined) throw new LazaretError('INPUT_INVALID', `${JSON.stringify(to.slice(0, 140))} is not a digest`)
      const { repository, tag } = await find(principal, image)
      if (!may(principal, 'push', repository.name))
        throw new LazaretError('DENIED', `${principal.name} has no grant push=${repository.name}`)
      const change = { actor, at: now(), immutableTags: await repositorySettings.immutableTags(repository.name) }
      const from = await restoreTag(records, repository, tag, digest, change)
      return { image: `${repository.name}:${tag}`, digest, ...(from === null ? {} : { from }) }
    },
  }
}

async function heldOf(records: Records, repositoryId: number, digests: Digest[]): Promise<Set<string>> {
  if (digests.length === 0) return new Set()
  const rows = await records.read
    .selectFrom('manifests as m')
    .innerJoin('manifest_links as l', 'l.manifest_id', 'm.id')
    .select('m.digest')
    .where('l.repository_id', '=', repositoryId)
    .where('m.digest', 'in', [...new Set(digests)])
    .execute()
  return new Set(rows.map((row) => row.digest))
}
