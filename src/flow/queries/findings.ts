import { may, type Principal } from '../../model/access.ts'
import { severities, type Finding, type Severity } from '../../model/advisory.ts'
import type { Digest } from '../../model/digest.ts'
import type { Records } from '../../store/records/records.ts'

export interface FindingRow extends Finding {
  images: { repository: string; digest: Digest }[]
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
const scanBatch = 500

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
    const rows = await matchesAfter(records, cursor, query)
    for (const row of rows) {
      cursor = { packageVersionId: row.package_version_id, findingId: row.finding_id }
      const images = await visibleImages(records, principal, row.package_version_id)
      if (images.length === 0) continue
      items.push({ ...(JSON.parse(row.finding) as Finding), images })
      if (items.length === query.limit) return { items, next: `${cursor.packageVersionId}@${cursor.findingId}` }
    }
    if (rows.length < scanBatch) return { items }
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

function matchesAfter(records: Records, cursor: Cursor, query: FindingQuery) {
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
    .limit(scanBatch)
    .execute()
}

async function visibleImages(
  records: Records,
  principal: Principal,
  packageVersionId: number,
): Promise<{ repository: string; digest: Digest }[]> {
  const rows = await records.read
    .selectFrom('image_packages as p')
    .innerJoin('manifest_links as l', 'l.manifest_id', 'p.manifest_id')
    .innerJoin('repositories as r', 'r.id', 'l.repository_id')
    .innerJoin('manifests as m', 'm.id', 'l.manifest_id')
    .select(['r.name as repository', 'm.digest as digest'])
    .distinct()
    .where('p.package_version_id', '=', packageVersionId)
    .orderBy('r.name')
    .orderBy('m.digest')
    .$castTo<{ repository: string; digest: Digest }>()
    .execute()
  return rows.filter((row) => may(principal, 'pull', row.repository)).slice(0, mostImagesShown)
}
