import { sql } from 'kysely'
import type { PackageVersion } from '../model/package.ts'
import type { Evidence } from '../model/verdict.ts'
import type { Tx } from '../store/records/records.ts'
import { decodeEvidence } from './evidence-form.ts'
import type { EvidenceAt } from './judging/judging.ts'
import type { Examined, RematchedImage } from './worker/protocol.ts'

const batch = 200

export async function readEvidence(tx: Tx, manifestId: number): Promise<EvidenceAt | undefined> {
  const row = await tx.selectFrom('evidence').select(['content', 'revision']).where('manifest_id', '=', manifestId).executeTakeFirst()
  return row === undefined ? undefined : { evidence: decodeEvidence(row.content), revision: row.revision }
}

/**
 * Keeps what an examination found, in place of what one before it did: the evidence, the packages of the image, and the findings of
 * package versions that were not matched by these advisories yet. Rows are touched in one order by all, so that two examinations
 * don't wait for each other in a ring. In: the extractors that read it. Out: the evidence with its new revision.
 */
export async function putEvidence(tx: Tx, manifestId: number, examined: Examined, extractors: string, now: number): Promise<EvidenceAt> {
  const row = { advisory_revision: examined.parsed.advisoryRevision, extractors, content: Buffer.from(examined.evidence), examined_at: now }
  const { revision } = await tx
    .insertInto('evidence')
    .values({ manifest_id: manifestId, revision: 1, ...row })
    .onConflict((conflict) => conflict.column('manifest_id').doUpdateSet({ ...row, revision: sql`evidence.revision + 1` }))
    .returning('revision')
    .executeTakeFirstOrThrow()
  const ids = await putPackageVersions(tx, examined.subjects)
  await putMatches(tx, examined.parsed, ids)
  await putImagePackages(tx, manifestId, examined, ids)
  return { evidence: examined.parsed, revision }
}

/** Package versions whose findings are kept already as one revision of the advisories has them. */
export type MatchedVersions = Set<string>

/**
 * In place of evidence that stands: what a look at some of its packages came to. Its packages are the same. In: what this transaction, and
 * those before it that are committed, kept of package versions. Out: it, with its new revision.
 */
export async function replaceEvidence(
  tx: Tx,
  manifestId: number,
  moved: Extract<RematchedImage, { state: 'moved' }>,
  advisoryRevision: string,
  matched: MatchedVersions,
): Promise<EvidenceAt> {
  const { revision } = await tx
    .updateTable('evidence')
    .set({ advisory_revision: advisoryRevision, content: Buffer.from(moved.evidence), revision: sql`revision + 1` })
    .where('manifest_id', '=', manifestId)
    .returning('revision')
    .executeTakeFirstOrThrow()
  const fresh = moved.subjects.filter((subject) => !matched.has(keyOf(subject)))
  if (fresh.length > 0) await putMatches(tx, moved.judged, await putPackageVersions(tx, fresh))
  for (const subject of fresh) matched.add(keyOf(subject))
  return { evidence: moved.judged, revision }
}

const keyOf = (subject: PackageVersion) => `${subject.ecosystem}\n${subject.name}\n${subject.version}`

/** Out: the id of each, by its key. */
async function putPackageVersions(tx: Tx, subjects: (PackageVersion | null)[]): Promise<Map<string, number>> {
  const distinct = new Map(subjects.flatMap((subject) => (subject === null ? [] : [[keyOf(subject), subject] as const])))
  const wanted = [...distinct].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, subject]) => subject)
  const ids = new Map<string, number>()
  for (const some of batches(wanted)) {
    await tx
      .insertInto('package_versions')
      .values(some.map(({ ecosystem, name, version }) => ({ ecosystem, name, version, matched_revision: null })))
      .onConflict((conflict) => conflict.columns(['ecosystem', 'name', 'version']).doNothing())
      .execute()
    const tuples = sql.join(some.map(({ ecosystem, name, version }) => sql`(${ecosystem}, ${name}, ${version})`))
    const { rows } = await sql<PackageVersion & { id: number }>`select id, ecosystem, name, version from package_versions
      where (ecosystem, name, version) in (values ${tuples})`.execute(tx)
    for (const row of rows) ids.set(keyOf(row), row.id)
  }
  return ids
}

/** Findings belong to a package version, not to an image: they are replaced where the advisories have moved. */
async function putMatches(tx: Tx, evidence: Evidence, ids: ReadonlyMap<string, number>): Promise<void> {
  const moved = await claimMatching(
    tx,
    [...ids.values()].toSorted((a, b) => a - b),
    evidence.advisoryRevision,
  )
  for (const some of batches([...moved])) await tx.deleteFrom('matches').where('package_version_id', 'in', some).execute()
  const rows = evidence.findings.flatMap((finding) => {
    const id = ids.get(keyOf({ ecosystem: finding.ecosystem, name: finding.packageName, version: finding.packageVersion }))
    if (id === undefined || !moved.has(id)) return []
    return [
      {
        package_version_id: id,
        finding_id: finding.id,
        severity: finding.severity,
        known_exploited: finding.knownExploited ? 1 : 0,
        finding: JSON.stringify(finding),
      },
    ]
  })
  for (const some of batches(rows)) {
    await tx
      .insertInto('matches')
      .values(some)
      .onConflict((conflict) => conflict.columns(['package_version_id', 'finding_id']).doNothing())
      .execute()
  }
}

/** Out: those that were matched by other advisories until now. They are ours before their findings are touched. */
async function claimMatching(tx: Tx, ids: number[], revision: string): Promise<ReadonlySet<number>> {
  const moved = new Set<number>()
  for (const some of batches(ids)) {
    const rows = await tx
      .updateTable('package_versions')
      .set({ matched_revision: revision })
      .where('id', 'in', some)
      .where((where) => where.or([where('matched_revision', 'is', null), where('matched_revision', '!=', revision)]))
      .returning('id')
      .execute()
    for (const row of rows) moved.add(row.id)
  }
  return moved
}

async function putImagePackages(tx: Tx, manifestId: number, examined: Examined, ids: ReadonlyMap<string, number>): Promise<void> {
  await tx.deleteFrom('image_packages').where('manifest_id', '=', manifestId).execute()
  const rows = examined.parsed.packages.map((pkg, position) => {
    const subject = examined.subjects[position] ?? null
    return {
      manifest_id: manifestId,
      position,
      package_version_id: subject === null ? null : (ids.get(keyOf(subject)) ?? null),
      kind: pkg.kind,
      name: pkg.name,
      version: pkg.version,
      purl: pkg.purl,
      location: pkg.location,
      layer: pkg.layer,
    }
  })
  for (const some of batches(rows)) await tx.insertInto('image_packages').values(some).execute()
}

function* batches<T>(rows: readonly T[]): Generator<T[]> {
  for (let at = 0; at < rows.length; at += batch) yield rows.slice(at, at + batch)
}
