import { createReadStream } from 'node:fs'
import { textLines } from '../sniff.ts'
import type { Dropped } from '../tally.ts'
import { Tally } from '../tally.ts'

/** Up to where a list of changes was read. */
export interface Cursor {
  /** Milliseconds since 1970: the newest change that was read. */
  at: number
  /** Rows of the second of that change: others of the same second may still come. */
  seen: string[]
}

export interface Changes {
  /** Rows that name a record, old ones too. */
  listed: number
  /** Ids of what changed since the cursor, each once, the oldest change first. None where there are more than `most`. */
  ids: string[]
  tooMany: boolean
  /** Where to go on the next time; undefined where no row has an instant that may be believed. */
  next: Cursor | undefined
  dropped: Dropped[]
}

/** Rows of one second that are remembered: an export that touches everything in one second is read again, and changes nothing. */
const mostSeen = 2000
const futureMs = 86_400_000
const row = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)),([^,]{1,300})$/

/** Of ids that can stand in a URL, and in a page. */
export const plainId = /^[A-Za-z0-9][A-Za-z0-9._:+-]{0,254}$/

/**
 * In: OSV's `modified_id.csv` (`INSTANT,ID` a row, the newest first), and up to where it was read before. Out: what changed since.
 * The rows of the cursor's own second are asked for again but for those that were seen. The list is read to its end whatever its
 * order, so that one that is not sorted loses nothing. A row of more than a day from now moves nothing: the clock may be wrong.
 */
export async function readChanges(
  path: string,
  cursor: Cursor | undefined,
  { most, rows, now }: { most: number; rows: number; now: number },
): Promise<Changes> {
  const tally = new Tally()
  const since = cursor === undefined ? -1 : Math.floor(cursor.at / 1000) * 1000
  const seen = new Set(cursor?.seen)
  const changed = new Map<string, number>()
  let [listed, tooMany] = [0, false]
  let newest: Cursor | undefined
  for await (const line of textLines(createReadStream(path, { highWaterMark: 256 * 1024 }))) {
    if (line === '' || /^modified,id$/i.test(line)) continue
    const [, instant = '', id = ''] = row.exec(line) ?? []
    const at = Date.parse(instant)
    if (Number.isNaN(at) || !plainId.test(id)) tally.drop(Number.isNaN(at) ? 'not a row of the list' : 'not an id', shownRow(line))
    else if (at > now + futureMs) tally.drop('dated after today: left until then', shownRow(line))
    else {
      if (++listed > rows) {
        tally.drop(`more than ${rows} rows`, 'the list')
        tooMany = true
        break
      }
      newest = moved(newest, at, line)
      if (at < since || seen.has(line)) continue
      if (changed.size < most || changed.has(id)) changed.set(id, Math.max(at, changed.get(id) ?? 0))
      else tooMany = true
    }
  }
  const ids = tooMany ? [] : [...changed].toSorted((a, b) => a[1] - b[1]).map(([id]) => id)
  return { listed, ids, tooMany, next: newest, dropped: tally.list() }
}

function moved(newest: Cursor | undefined, at: number, line: string): Cursor {
  const second = (ms: number) => Math.floor(ms / 1000)
  if (newest === undefined || second(at) > second(newest.at)) return { at, seen: [line] }
  if (second(at) === second(newest.at)) {
    newest.at = Math.max(newest.at, at)
    if (newest.seen.length < mostSeen) newest.seen.push(line)
  }
  return newest
}

function shownRow(line: string): string {
  return JSON.stringify(line.slice(0, 80))
}
