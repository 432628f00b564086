import { sql } from 'kysely'
import { may, type Principal } from '../../model/access.ts'
import { severities, type Finding, type Severity } from '../../model/advisory.ts'
import type { InBase } from '../../model/base.ts'
import type { Digest } from '../../model/digest.ts'
import type { Records } from '../../store/records/records.ts'

export interface FindingRow extends Finding {
  images: { repository: string; digest: Digest }[]
  /** Of one image alone: whether its base had it already. */
  inBase?: InBase
}

export interface FindingQuery {
  /** Any id of the flaw: a CVE, a GHSA … */
  id?: string
  package?: string
  /** This and worse. */
  severity?: Severity
  limit: number
  after?: string
}

const mostImagesShown = 100
/** Of each package version in one query; who may pull few of many is asked for anew, by name. */
const mostImagesRead = 200
const fewestRows = 50
const mostRows = 500
/** More grants than this are not told to the database: what it gives is held to them in any case. */
const mostPrefixes = 50

/**
 * Findings over the whole store, one a flaw and package version, with the images that hold it; only those that this caller
 * may pull are shown, and a finding in no such image is not.
 */
export async function listFindings(
  records: Records,
  principal: Principal,
  query: FindingQuery,
): Promise<{ items: FindingRow[]; next?: string }> {
  const items: FindingRow[] = []
  let cursor = parseCursor(query.after)
  for (;;) {
    const wanted = Math.min(Math.max(query.limit - items.length, fewestRows), mostRows)
    const rows = await matchesAfter(records, cursor, query, wanted)
    const imagesOf = await visibleImages(records, principal, [...new Set(rows.map((row) => row.package_version_id))])
    for (const row of rows) {
      cursor = { packageVersionId: row.package_version_id, findingId: row.finding_id }
      const images = await imagesOf(row.package_version_id)
      if (images.length === 0) continue
      items.push({ ...(JSON.parse(row.finding) as Finding), images })
      if (items.length === query.limit) return { items, next: `${cursor.packageVersionId}@${cursor.findingId}` }
    }
    if (rows.length < wanted) return { items }
  }
}

interface Cursor {
  packageVersionId: number
  findingId: string
}

function parseCursor(text: string | undefined): Cursor {
  const match = /^(\d{1,15})@(.{0,200})$/.exec(text ?? '')
  return match === null ? { packageVersionId: 0, findingId: '' } : { packageVersionId: Number(match[1]), findingId: match[2] ?? '' }
}

function matchesAfter(records: Records, cursor: Cursor, query: FindingQuery, limit: number) {
  const worse = query.severity === undefined ? undefined : severities.slice(severities.indexOf(query.severity))
  return records.read
    .selectFrom('matches')
    .innerJoin('package_versions', 'package_versions.id', 'matches.package_version_id')
    .select(['package_version_id', 'finding_id', 'finding'])
    .where((where) =>
      where.or([
        where('package_version_id', '>', cursor.packageVersionId),
        where.and([where('package_version_id', '=', cursor.packageVersionId), where('finding_id', '>', cursor.findingId)]),
      ]),
    )
    .$if(worse !== undefined, (some) => some.where('severity', 'in', worse ?? []))
    .$if(query.id !== undefined, (some) => some.where('finding_id', '=', query.id ?? ''))
    .$if(query.package !== undefined, (some) => some.where('package_versions.name', '=', query.package ?? ''))
    .orderBy('package_version_id')
    .orderBy('finding_id')
    .limit(limit)
    .execute()
}

type Image = FindingRow['images'][number]

/**
 * In: package versions. Out: the images that hold one of them and that the caller may pull, the first hundred by name. One query for
 * all of them; another only for a version whose first images are none of the caller's.
 */
async function visibleImages(
  records: Records,
  principal: Principal,
  versions: readonly number[],
): Promise<(version: number) => Promise<Image[]>> {
  const found = Map.groupBy(await holdersOf(records, principal, versions, mostImagesRead), ({ version }) => version)
  const asked = new Map<number, Promise<Image[]>>()

  function mine(rows: readonly HolderRow[]): Image[] {
    const visible = rows.filter((row) => may(principal, 'pull', row.repository)).slice(0, mostImagesShown)
    return visible.map(({ repository, digest }) => ({ repository, digest }))
  }

  return async (version) => {
    const rows = found.get(version) ?? []
    const images = mine(rows)
    if (images.length === mostImagesShown || rows.length < mostImagesRead) return images
    const again = asked.get(version) ?? holdersOf(records, principal, [version]).then(mine)
    asked.set(version, again)
    return again
  }
}

interface HolderRow {
  version: number
  repository: string
  digest: Digest
}

function holdersOf(records: Records, principal: Principal, versions: readonly number[], most?: number): Promise<HolderRow[]> {
  if (versions.length === 0) return Promise.resolve([])
  const prefixes = prefixesOf(principal)
  const holders = records.read
    .selectFrom('image_packages as p')
    .innerJoin('manifest_links as l', 'l.manifest_id', 'p.manifest_id')
    .innerJoin('repositories as r', 'r.id', 'l.repository_id')
    .innerJoin('manifests as m', 'm.id', 'l.manifest_id')
    .select(['p.package_version_id as version', 'r.name as repository', 'm.digest as digest'])
    .distinct()
    .where('p.package_version_id', 'in', [...versions])
    .$if(prefixes !== undefined, (some) =>
      some.where((where) => where.or((prefixes ?? []).map((one) => where('r.name', 'like', `${one}%`)))),
    )
  return records.read
    .selectFrom(
      records.read
        .selectFrom(holders.as('h'))
        .selectAll()
        .select(sql<number>`row_number() over (partition by version order by repository, digest)`.as('place'))
        .as('placed'),
    )
    .select(['version', 'repository', 'digest'])
    .$if(most !== undefined, (some) => some.where('place', '<=', most ?? 0))
    .orderBy('version')
    .orderBy('place')
    .$castTo<HolderRow>()
    .execute()
}

/**
 * Out: what names that the caller may pull begin with, so that the database leaves others out; undefined for any. It may let pass too
 * much (`_` stands for any character there), never too little.
 */
export function prefixesOf(principal: Principal): string[] | undefined {
  const grants = principal.grants.filter(({ action }) => action === 'pull' || action === 'read-quarantined' || action === 'admin')
  if (grants.length > mostPrefixes) return undefined
  const prefixes = grants.map(({ action, pattern }) => (action === 'admin' ? '' : beginningOf(pattern)))
  return prefixes.includes('') ? undefined : prefixes
}

/** `shop/**` covers `shop` too. */
function beginningOf(pattern: string): string {
  const literal = pattern.split('*', 1)[0] ?? ''
  return literal.length < pattern.length && literal.endsWith('/') ? literal.slice(0, -1) : literal
}
