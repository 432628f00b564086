import { LazaretError } from '../../kit/errors.ts'
import { may, type Principal } from '../../model/access.ts'
import type { Digest } from '../../model/digest.ts'
import { pullsOf, type PullCursor, type PullRecords } from '../../store/pulls.ts'
import type { Records } from '../../store/records/records.ts'
import type { VerdictQueries } from './verdicts.ts'

export interface PullItem {
  /** Absent: by digest alone. */
  tag?: string
  principal: string
  address: string
  count: number
  firstAt: string
  lastAt: string
}

export interface PullQueries {
  /**
   * Who pulled an image, the newest first, what is still in memory included. For whoever may push there: names and addresses of
   * others are no puller's affair. Errors: INPUT_INVALID, MANIFEST_UNKNOWN also for a repository that the caller may not pull, DENIED.
   */
  pulls(
    principal: Principal,
    image: string,
    page: { limit: number; after?: string },
  ): Promise<{ image: string; digest: Digest; items: PullItem[]; next?: string }>
}

export function createPullQueries(records: Records, verdicts: Pick<VerdictQueries, 'find'>, noted: PullRecords): PullQueries {
  return {
    async pulls(principal, image, { limit, after }) {
      const cursor = after === undefined ? undefined : parseCursor(after)
      const held = await verdicts.find(principal, image, undefined)
      if (!may(principal, 'push', held.repository))
        throw new LazaretError('DENIED', `${principal.name} has no grant push=${held.repository}`)
      await noted.flush()
      const rows = await pullsOf(records, held, { limit: limit + 1, ...(cursor === undefined ? {} : { after: cursor }) })
      const page = rows.slice(0, limit)
      const last = page.at(-1)
      return {
        image: `${held.repository}@${held.digest}`,
        digest: held.digest,
        items: page.map((row) => ({ ...row, firstAt: new Date(row.firstAt).toISOString(), lastAt: new Date(row.lastAt).toISOString() })),
        ...(rows.length > limit && last !== undefined ? { next: cursorText({ tag: '', ...last }) } : {}),
      }
    },
  }
}

function cursorText({ lastAt, tag, principal, address }: PullCursor): string {
  return Buffer.from(JSON.stringify([lastAt, tag, principal, address])).toString('base64url')
}

function parseCursor(text: string): PullCursor {
  const [lastAt, tag, principal, address, ...more] = listIn(text)
  if (
    Number.isSafeInteger(lastAt) &&
    typeof tag === 'string' &&
    typeof principal === 'string' &&
    typeof address === 'string' &&
    more.length === 0
  )
    return { lastAt: lastAt as number, tag, principal, address }
  throw new LazaretError('INPUT_INVALID', 'after is not the `next` of a page of this list')
}

function listIn(text: string): unknown[] {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'))
    return Array.isArray(parsed) ? parsed : []
  } catch (error) {
    if (error instanceof SyntaxError) return []
    throw error
  }
}
