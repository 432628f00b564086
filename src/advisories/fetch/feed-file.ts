import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { SourceName } from '../../model/advisory-sources.ts'
import { documentsIn } from '../documents.ts'
import { isoSeconds } from '../fields.ts'
import { peek } from '../sniff.ts'
import { shown } from './ask.ts'
import { download } from './download.ts'
import type { Feed, Fetched, Fresh, PartAsk } from './feed.ts'
import type { Looks } from './looks.ts'
import { FetchProblem } from './problem.ts'
import type { FetchTools } from './tools.ts'

interface FileFeed {
  name: SourceName
  origin: string
  hosts?: readonly string[]
  /** The file's name here: reports call it by that. */
  file: string
  looks: Looks
  /** Where the file says of which day it is: the first group, within its first 64 KiB. */
  dated?: RegExp
  /** Families of ecosystems that it judges. */
  families?: string[]
}

/** A source that is one file, asked for whole where it is another than before. */
function fileFeed({ name, origin, hosts = [], file, looks, dated, families = [] }: FileFeed): Feed {
  return {
    name,
    origin,
    hosts,
    proven: false,
    parts: () => [''],
    bring: (ask, tools) => fetchFile(ask, ask.base, { file, looks, dated, fresh: { families, coverage: [] } }, tools),
  }
}

export interface FileAbout {
  file: string
  looks: Looks
  dated?: RegExp | undefined
  fresh: Fresh
}

/**
 * In: one file of a source. Out: it, where it is another than before. Throws a FetchProblem where it is older than what was read:
 * by its own date, else by its server's.
 */
export async function fetchFile(ask: PartAsk, url: URL, { file, looks, dated, fresh }: FileAbout, tools: FetchTools): Promise<Fetched> {
  await mkdir(ask.folder, { recursive: true, mode: 0o700 })
  const { known } = ask
  const wanted = { url, hosts: ask.hosts, path: join(ask.folder, file), looks, mostBytes: tools.limits.fileBytes }
  const got = await download({ ...wanted, ...(known?.validators && { known: known.validators }) }, tools)
  if (got.state === 'unchanged') return { state: 'unchanged', next: {}, fresh }
  const date = (dated === undefined ? undefined : await ownDate(got.path, dated)) ?? got.date
  const before = known?.dataAt
  if (date !== undefined && before !== undefined && date.getTime() < before)
    throw new FetchProblem(
      'UNREADABLE',
      `${shown(url)} goes back in time: it is of ${isoSeconds(date)}, and ${isoSeconds(new Date(before))} was read already`,
    )
  // A day that is yet to come would hold off all that follows.
  const dataAt = date === undefined || date.getTime() > tools.now() + 86_400_000 ? before : date.getTime()
  return {
    state: 'new',
    how: 'whole',
    files: [got.path],
    records: 0,
    bytes: got.bytes,
    dropped: [],
    next: { validators: got.validators, ...(dataAt === undefined ? {} : { dataAt }) },
    fresh,
  }
}

async function ownDate(path: string, dated: RegExp): Promise<Date | undefined> {
  for await (const document of documentsIn([path])) {
    const { head, bytes } = await peek(document.bytes)
    await bytes[Symbol.asyncIterator]().return?.()
    const date = new Date(dated.exec(head)?.[1] ?? Number.NaN)
    return Number.isNaN(date.getTime()) ? undefined : date
  }
  return undefined
}

/** CISA's catalog of known exploited vulnerabilities (cisa.gov/known-exploited-vulnerabilities-catalog). */
export const kevFeed = fileFeed({
  name: 'kev',
  origin: 'https://www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities.json',
  file: 'known_exploited_vulnerabilities.json',
  looks: 'json',
  dated: /"dateReleased"\s*:\s*"(\d{4}-\d\d-\d\dT[0-9:.]{5,15}Z?)"/,
})

/** FIRST's scores of a day (first.org/epss/data_stats): the address leads to the file of the newest day. */
export const epssFeed = fileFeed({
  name: 'epss',
  origin: 'https://epss.empiricalsecurity.com/epss_scores-current.csv.gz',
  file: 'epss_scores.csv.gz',
  looks: 'gzip or csv',
  dated: /score_date:(\d{4}-\d\d-\d\d)/,
})

/** Debian's security tracker, all packages and releases in one file. It has no date but its server's. */
export const debianFeed = fileFeed({
  name: 'debian',
  origin: 'https://security-tracker.debian.org/tracker/data/json',
  file: 'debian-tracker.json',
  looks: 'json',
  families: ['Debian'],
})
