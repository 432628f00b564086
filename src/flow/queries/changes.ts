import { newsOf } from '../../advisories/news.ts'
import type { NewsRow } from '../../advisories/changes.ts'
import { LazaretError } from '../../kit/errors.ts'
import type { Principal } from '../../model/access.ts'
import { changeById, listChanges, listMoves, type AdvisoryChange, type VerdictMove } from '../../store/advisory-changes.ts'
import type { Records } from '../../store/records/records.ts'
import { beforeId } from './audit-log.ts'
import type { VerdictQueries } from './verdicts.ts'

interface Page {
  limit: number
  /** The `next` of the page before. */
  after?: string
}

export interface ChangeRow extends Omit<AdvisoryChange, 'noticedAt' | 'endedAt'> {
  noticedAt: string
  endedAt?: string
  /** From when it was noticed until the last image stood; absent while it runs. */
  tookMs?: number
}

export interface MoveRow extends Omit<VerdictMove, 'at' | 'id'> {
  at: string
}

export interface ChangeQueries {
  /** The newest first. For administrators, as the next two are: whoever calls sees to that. */
  list(page: Page): Promise<{ items: ChangeRow[]; next?: string }>
  /** Ids of the records that came, by id, as far as they are kept. Throws NOT_FOUND where there is no such change. */
  records(change: number, page: Page): Promise<{ items: NewsRow[]; next?: string }>
  /** Images whose verdict moved by it, the newest first. Throws NOT_FOUND. */
  images(change: number, page: Page): Promise<{ items: MoveRow[]; next?: string }>
  /** How one image's verdict moved, the newest first. Throws MANIFEST_UNKNOWN also for what the caller may not pull. */
  history(principal: Principal, image: string, page: Page): Promise<{ items: MoveRow[]; next?: string }>
}

export function createChangeQueries(parts: { records: Records; verdicts: VerdictQueries; dataFolder: string }): ChangeQueries {
  const { records, verdicts, dataFolder } = parts

  async function moves(of: Parameters<typeof listMoves>[1], { limit, after }: Page) {
    const before = beforeId(after)
    const rows = await listMoves(records, of, { limit: limit + 1, ...(before === undefined ? {} : { before }) })
    const last = rows.slice(0, limit).at(-1)
    const items = rows.slice(0, limit).map(({ id: _, at, ...row }) => ({ ...row, at: new Date(at).toISOString() }))
    return { items, ...(rows.length > limit && last !== undefined ? { next: String(last.id) } : {}) }
  }

  async function requireChange(id: number) {
    const change = await changeById(records, id)
    if (change === undefined) throw new LazaretError('NOT_FOUND', `there is no change ${id}: lazaret advisories changes lists them`)
    return change
  }

  return {
    async list({ limit, after }) {
      const before = beforeId(after)
      const rows = await listChanges(records, { limit: limit + 1, ...(before === undefined ? {} : { before }) })
      const items = rows.slice(0, limit).map(shown)
      const last = items.at(-1)
      return { items, ...(rows.length > limit && last !== undefined ? { next: String(last.id) } : {}) }
    },
    async records(id, { limit, after }) {
      const { from, to } = await requireChange(id)
      const rows = newsOf(dataFolder, { from, to }, { limit: limit + 1, ...(after === undefined ? {} : { after }) })
      const items = rows.slice(0, limit)
      const last = items.at(-1)
      return { items, ...(rows.length > limit && last !== undefined ? { next: last.id } : {}) }
    },
    async images(id, page) {
      await requireChange(id)
      return moves({ change: id }, page)
    },
    async history(principal, image, page) {
      const held = await verdicts.find(principal, image, undefined)
      return moves({ repositoryId: held.repositoryId, digest: held.digest }, page)
    },
  }
}

function shown({ noticedAt, endedAt, ...change }: AdvisoryChange): ChangeRow {
  return {
    ...change,
    noticedAt: new Date(noticedAt).toISOString(),
    ...(endedAt === undefined ? {} : { endedAt: new Date(endedAt).toISOString(), tookMs: endedAt - noticedAt }),
  }
}
