import { sql } from 'kysely'
import { LazaretError } from '../../kit/errors.ts'
import { may, type Principal } from '../../model/access.ts'
import type { Digest } from '../../model/digest.ts'
import { isWithin, parseVersionRange, type VersionBound } from '../../model/version-range.ts'
import type { Records } from '../../store/records/records.ts'
import { orderFor } from '../../versions/compare.ts'
import { prefixesOf } from './findings.ts'
import { storedEcosystems } from '../../store/ecosystems.ts'

/** An image that holds a version of a package. */
export interface PackageHolder {
  ecosystem: string
  name: string
  version: string
  /** False where a range was asked for and this version can't be compared with it: then it may be within or not. */
  comparable: boolean
  digest: Digest
  /** The first hundred that the caller may pull. */
  repositories: string[]
}

export interface PackageQuery {
  /** As advisories name it; an artifact of Maven without its group too. */
  name: string
  /** `Debian:12`, `Maven`, or a family without its release. */
  ecosystem?: string
  /** `<2.17`, `>=2.0,<2.17`, or a version. */
  version?: string
  limit: number
  after?: string
}

interface Version {
  id: number
  ecosystem: string
  name: string
  version: string
}

const mostVersions = 20_000
const mostRepositories = 100
const fewestRead = 50

/**
 * Which images hold a package, by the index over packages alone: no image is read. Ordered by key, so that a page costs what it shows.
 * Only images in repositories that this caller may pull are shown. Errors: INPUT_INVALID for a range that is none, LIMIT_EXCEEDED.
 */
export async function listPackageHolders(
  records: Records,
  principal: Principal,
  query: PackageQuery,
): Promise<{ items: PackageHolder[]; next?: string }> {
  const cursor = parseCursor(query.after)
  const bounds = boundsOf(query.version)
  const items: PackageHolder[] = []
  for (const version of await versionsNamed(records, query, cursor.version)) {
    const comparable = standing(version, bounds)
    if (comparable === 'outside') continue
    let manifest = version.id === cursor.version ? cursor.manifest : 0
    for (;;) {
      const wanted = Math.max(query.limit - items.length, fewestRead)
      const found = await holdersAfter(records, principal, version.id, manifest, wanted)
      for (const { manifestId, digest, repositories } of found) {
        manifest = manifestId
        if (repositories.length === 0) continue
        const { ecosystem, name, version: text } = version
        items.push({ ecosystem, name, version: text, comparable: comparable === 'within', digest, repositories })
        if (items.length === query.limit) return { items, next: `${version.id}@${manifest}` }
      }
      if (found.length < wanted) break
    }
  }
  return { items }
}

function parseCursor(text: string | undefined): { version: number; manifest: number } {
  if (text === undefined) return { version: 0, manifest: 0 }
  const match = /^(\d{1,15})@(\d{1,15})$/.exec(text)
  if (match === null) throw new LazaretError('INPUT_INVALID', 'after is not the `next` of a page before')
  return { version: Number(match[1]), manifest: Number(match[2]) }
}

function boundsOf(text: string | undefined): VersionBound[] {
  const bounds = text === undefined ? [] : parseVersionRange(text)
  if (bounds !== undefined) return bounds
  throw new LazaretError('INPUT_INVALID', `${JSON.stringify(text?.slice(0, 60))} is no range: <2.17, or >=2.0,<2.17, or a version`)
}

/** By the order of its ecosystem. What can't be compared is shown, and says so: silence would look like "nobody holds it". */
function standing({ ecosystem, version }: Version, bounds: readonly VersionBound[]): 'within' | 'outside' | 'unknown' {
  const compare = orderFor(ecosystem)
  const words = bounds.map((bound) =>
    version === bound.version ? isWithin(bound, 0) : isWithin(bound, compare?.(version, bound.version) ?? 'unknown'),
  )
  if (words.includes(false)) return 'outside'
  return words.includes('unknown') ? 'unknown' : 'within'
}

/** In the order of their ids, from the one where the page before ended. */
async function versionsNamed(records: Records, { name, ecosystem }: PackageQuery, from: number): Promise<Version[]> {
  const found: Version[] = []
  for (const one of await ecosystemsNamed(records, ecosystem)) {
    const rows = await records.read
      .selectFrom('package_versions')
      .select(['id', 'ecosystem', 'name', 'version'])
      .where('ecosystem', '=', one)
      .where((where) => {
        const exact = where('name', '=', name)
        const isArtifact = one === 'Maven' && !name.includes(':')
        return isArtifact ? where.or([exact, sql<boolean>`name like ${`%:${escaped(name)}`} escape '!'`]) : exact
      })
      .limit(mostVersions + 1)
      .execute()
    found.push(...rows)
    if (found.length > mostVersions)
      throw new LazaretError('LIMIT_EXCEEDED', `${name} is there in more than ${mostVersions} versions: name an ecosystem`)
  }
  return found.filter(({ id }) => id >= from).toSorted((a, b) => a.id - b.id)
}

function escaped(text: string): string {
  return text.replaceAll(/[!%_]/g, '!$&')
}

async function ecosystemsNamed(records: Records, wanted: string | undefined): Promise<string[]> {
  const all = await storedEcosystems(records)
  return wanted === undefined ? all : all.filter((one) => one === wanted || one.startsWith(`${wanted}:`))
}

interface Holder {
  manifestId: number
  digest: Digest
  repositories: string[]
}

async function holdersAfter(records: Records, principal: Principal, version: number, after: number, limit: number): Promise<Holder[]> {
  const prefixes = prefixesOf(principal)
  if (prefixes?.length === 0) return [] // nothing may be pulled
  const theirs = sql.join(
    (prefixes ?? ['']).map((one) => sql`r.name like ${`${one}%`}`),
    sql` or `,
  )
  const { rows } = await sql<{ id: number; digest: Digest; repository: string }>`
    select h.manifest_id as id, m.digest as digest, r.name as repository
    from (select distinct p.manifest_id from image_packages p where p.package_version_id = ${version} and p.manifest_id > ${after}
          and exists (select 1 from manifest_links l join repositories r on r.id = l.repository_id where l.manifest_id = p.manifest_id and (${theirs}))
          order by p.manifest_id limit ${limit}) h
    join manifests m on m.id = h.manifest_id join manifest_links l on l.manifest_id = h.manifest_id
    join repositories r on r.id = l.repository_id order by h.manifest_id, r.name`.execute(records.read)
  const found = new Map<number, Holder>()
  for (const { id, digest, repository } of rows) {
    const holder = found.get(Number(id)) ?? { manifestId: Number(id), digest, repositories: [] }
    if (holder.repositories.length < mostRepositories && may(principal, 'pull', repository)) holder.repositories.push(repository)
    found.set(Number(id), holder)
  }
  return [...found.values()]
}
