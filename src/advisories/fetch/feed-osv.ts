import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { isoSeconds } from '../fields.ts'
import { familyOf, isDistribution } from '../../versions/ecosystem.ts'
import { shown } from './ask.ts'
import { download } from './download.ts'
import type { Feed, Fetched, Fresh, PartAsk, Wanted } from './feed.ts'
import { type Changes, type Cursor, readChanges } from './modified-list.ts'
import { FetchProblem } from './problem.ts'
import { fetchRecords } from './records.ts'
import type { FetchTools } from './tools.ts'

/**
 * OSV's export (google.github.io/osv.dev/data), a folder an ecosystem:
 *
 *   npm/all.zip            every record
 *   npm/modified_id.csv    INSTANT,ID a row, the newest first
 *   npm/GHSA-….json        one record
 *
 * First the archive, then what the list says has changed, record by record; after many changes the archive again.
 */
export const osvFeed: Feed = {
  name: 'osv',
  origin: 'https://osv-vulnerabilities.storage.googleapis.com',
  hosts: [],
  proven: false,
  parts: ecosystemsOf,
  async bring(ask, tools) {
    await mkdir(ask.folder, { recursive: true, mode: 0o700 })
    const { known } = ask
    const path = join(ask.folder, 'modified_id.csv')
    const validators = known?.cursor !== undefined && (known.missing ?? []).length === 0 ? known.validators : undefined
    const list = await download(
      {
        ...place(ask, 'modified_id.csv'),
        path,
        looks: 'list',
        mostBytes: tools.limits.fileBytes,
        ...(validators && { known: validators }),
      },
      tools,
    )
    if (list.state === 'unchanged') return { state: 'unchanged', next: {}, fresh: freshOf(ask.part, tools.now()) }
    const { singles, rows } = tools.limits
    const changes = await readChanges(path, known?.cursor, { most: singles, rows, now: tools.now() })
    checkList(ask, changes)
    const cursor = changes.tooMany || (known?.missing ?? []).length > singles ? undefined : known?.cursor
    const fetched = cursor === undefined ? await archive(ask, changes, tools) : await delta(ask, cursor, changes, tools)
    // With the cursor behind the list's newest row, the list is read again though it be the same.
    const isAtEnd = fetched.next.cursor?.at === changes.next?.at
    return { ...fetched, next: { ...fetched.next, validators: isAtEnd ? list.validators : {} } }
  },
}

/** In what OSV's folders are called: the family, not the release. */
function ecosystemsOf({ ecosystems, held }: Wanted): string[] {
  const asked = ecosystems ?? held.map(familyOf).filter((family) => carried.has(family))
  return [...new Set(asked.map(familyOf))].toSorted()
}

/** OSV schema, "Defined ecosystems". Those that are asked for by name need not be among them. */
const carried: ReadonlySet<string> = new Set(
  'AlmaLinux,Alpaquita,Alpine,Android,BellSoft Hardened Containers,Bioconductor,Bitnami,Chainguard,CleanStart,ConanCenter,CRAN,crates.io,Debian,Docker Hardened Images,Echo,FreeBSD,GHC,GitHub Actions,Go,Hackage,Hex,Julia,Kubernetes,Linux,Mageia,Maven,MinimOS,npm,NuGet,opam,openEuler,openSUSE,OSS-Fuzz,Packagist,Photon OS,Pub,PyPI,Red Hat,Rocky Linux,RubyGems,SUSE,SwiftURL,Ubuntu,VSCode,Wolfi'.split(
    ',',
  ),
)

function place({ base, hosts, part }: PartAsk, file: string): { url: URL; hosts: readonly string[] } {
  const url = new URL(base)
  url.pathname = `${url.pathname.replace(/\/$/, '')}/${encodeURIComponent(part)}/${file}`
  return { url, hosts }
}

/** A list that is older than the one that was read is a mirror gone stale, or somebody who wants a flaw forgotten. */
function checkList(ask: PartAsk, { next, listed, dropped }: Changes): void {
  const where = shown(place(ask, 'modified_id.csv').url)
  if (next === undefined) {
    const why = dropped[0] === undefined ? '' : `: ${dropped[0].reason} (${dropped[0].examples[0] ?? ''})`
    throw new FetchProblem('UNREADABLE', `${where} names no record${why}`)
  }
  const before = ask.known?.cursor?.at
  if (before !== undefined && Math.floor(next.at / 1000) < Math.floor(before / 1000))
    throw new FetchProblem(
      'UNREADABLE',
      `${where} goes back in time: its newest of ${listed} rows is of ${isoSeconds(new Date(next.at))}, and ${isoSeconds(new Date(before))} was read already`,
    )
}

/** How much older than its own date an archive may be: what changed in that time is asked for once more. */
const exportMs = 2 * 3_600_000

/** Rows of the list that are none cost nothing here: the archive has every record. */
async function archive(ask: PartAsk, { next, listed }: Changes, tools: FetchTools): Promise<Fetched & { state: 'new' }> {
  const path = join(ask.folder, `${ask.part.replaceAll(/[^A-Za-z0-9._-]/g, '_')}.all.zip`)
  const zip = await download({ ...place(ask, 'all.zip'), path, looks: 'zip', mostBytes: tools.limits.fileBytes }, tools)
  if (zip.state === 'unchanged') throw new FetchProblem('UNREADABLE', `${shown(place(ask, 'all.zip').url)} answers 304 to who has nothing`)
  const before = ask.known?.dataAt
  if (before !== undefined && zip.date !== undefined && zip.date.getTime() < before)
    throw new FetchProblem(
      'UNREADABLE',
      `${shown(place(ask, 'all.zip').url)} goes back in time: it is of ${isoSeconds(zip.date)}, and one of ${isoSeconds(new Date(before))} was read already`,
    )
  return {
    state: 'new',
    how: 'whole',
    files: [zip.path],
    records: listed,
    bytes: zip.bytes,
    listed,
    dropped: [],
    next: { ...cursorAfter(next, zip.date), ...(zip.date === undefined ? {} : { dataAt: zip.date.getTime() }), missing: [] },
    fresh: freshOf(ask.part, tools.now()),
  }
}

/** The archive may have been packed before the list that was read first was written. */
function cursorAfter(next: Cursor | undefined, date: Date | undefined): { cursor?: Cursor } {
  if (next === undefined) return {}
  const at = date === undefined ? next.at : Math.min(next.at, date.getTime() - exportMs)
  return { cursor: at === next.at ? next : { at, seen: [] } }
}

async function delta(ask: PartAsk, cursor: Cursor, changes: Changes, tools: FetchTools): Promise<Fetched> {
  const ids = [...new Set([...(ask.known?.missing ?? []), ...changes.ids])]
  const fresh = freshOf(ask.part, tools.now())
  const next = { cursor: changes.next ?? cursor, missing: [] }
  if (ids.length === 0) return { state: 'unchanged', next, fresh }
  const path = join(ask.folder, `${ask.part.replaceAll(/[^A-Za-z0-9._-]/g, '_')}.changes.jsonl`)
  const got = await fetchRecords(ids, (id) => place(ask, `${encodeURIComponent(id)}.json`), path, tools)
  return {
    state: 'new',
    how: 'delta',
    files: got.written > 0 ? [path] : [],
    records: got.written,
    bytes: got.bytes,
    listed: changes.listed,
    dropped: [...changes.dropped, ...got.dropped],
    next: { ...next, missing: got.missing },
    fresh,
  }
}

/** A language is one list, and this is the whole of it; releases of a distribution show by their records which are there. */
function freshOf(part: string, now: number): Fresh {
  if (isDistribution(part)) return { families: [part], coverage: [] }
  const asOf = `${new Date(now).toISOString().slice(0, 10)}T00:00:00Z`
  return { families: [], coverage: [{ ecosystem: part, depth: 'whole', asOf, note: 'fetched from OSV' }] }
}
