import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import type { Policy } from '../judge/policy.ts'
import { LazaretError } from '../kit/errors.ts'
import type { Digest } from '../model/digest.ts'
import type { PackageVersion } from '../model/package.ts'
import type { Evidence } from '../model/verdict.ts'
import { addJob, finishJob } from '../store/jobs/jobs.ts'
import type { Records, Tx } from '../store/records/records.ts'
import type { VerdictWaiters } from '../store/verdicts.ts'
import type { Inventories } from './inventories.ts'
import { judgeEverywhere, type EvidenceAt, type Judged, type Place } from './judging/judging.ts'
import type { Examined } from './worker/protocol.ts'
import type { WorkerPool } from './worker/pool.ts'

/** From a manifest to its evidence and its verdicts. */
export interface Examinations {
  /** Examines unless the evidence is of this day already, then judges; the job ends in the same transaction. */
  examine(digest: Digest, jobId: number): Promise<void>
  /** After the last attempt: evidence that says `unreadable`, so that the gate holds it with a reason. */
  giveUp(digest: Digest, problem: string): Promise<void>
  /** Judges what evidence there is by the policy in force. `*`: every manifest whose verdict is of another policy. */
  rejudge(subject: string, jobId: number): Promise<void>
  /** Queues the examination of every image whose evidence is of other advisories or extractors. */
  rematch(jobId: number): Promise<void>
}

export interface ExaminationParts {
  records: Records
  inventories: Inventories
  workers: WorkerPool
  waiters: VerdictWaiters
  policy: Policy
  extractorRevision: string
  advisoryRevision: () => string
  now: () => number
}

const batch = 200
/** Evidence of the largest images seen has some megabytes; a stored one beyond this was not made by us. */
const mostEvidenceBytes = 512 * 1024 * 1024

export function createExaminations(parts: ExaminationParts): Examinations {
  const { records, inventories, workers, now } = parts

  async function find(digest: Digest): Promise<Judged | undefined> {
    return records.read.selectFrom('manifests').select(['id', 'digest', 'kind']).where('digest', '=', digest).$castTo<Judged>().executeTakeFirst()
  }

  async function isCurrent(manifestId: number): Promise<boolean> {
    const row = await records.read.selectFrom('evidence').select(['advisory_revision', 'extractors']).where('manifest_id', '=', manifestId).executeTakeFirst()
    return row?.advisory_revision === parts.advisoryRevision() && row.extractors === parts.extractorRevision
  }

  async function examineBytes(manifest: Judged): Promise<Examined> {
    const rows = await records.read
      .selectFrom('manifest_blobs')
      .select('blob_digest')
      .where('manifest_id', '=', manifest.id)
      .where('role', '=', 'layer')
      .orderBy('position')
      .execute()
    const layers = await Promise.all(rows.map((row) => inventories.of(row.blob_digest as Digest)))
    return workers.examine({ digest: manifest.digest, kind: manifest.kind, layers })
  }

  async function judgeNow(tx: Tx, manifest: Judged): Promise<Place[]> {
    const cache = new Map<number, EvidenceAt | undefined>()
    const evidenceOf = async (id: number) => {
      if (!cache.has(id)) cache.set(id, await readEvidence(tx, id))
      return cache.get(id)
    }
    return judgeEverywhere(tx, manifest, evidenceOf, parts.policy, new Date(now()))
  }

  function announce(places: Place[]): void {
    for (const place of places) parts.waiters.announce(place.repositoryId, place.manifestId)
  }

  async function rejudgeOne(manifest: Judged): Promise<void> {
    announce(await records.write((tx) => judgeNow(tx, manifest)))
  }

  return {
    async examine(digest, jobId) {
      const manifest = await find(digest)
      const bytes = manifest === undefined || !hasLayers(manifest) || (await isCurrent(manifest.id)) ? undefined : await examineBytes(manifest)
      const places = await records.write(async (tx) => {
        if (manifest !== undefined && bytes !== undefined) await putEvidence(tx, manifest.id, bytes, parts.extractorRevision, now())
        const made = manifest === undefined ? [] : await judgeNow(tx, manifest)
        await finishJob(tx, jobId)
        // The rematch that an import calls for may have passed before this evidence was there to be found stale.
        if (bytes !== undefined && bytes.parsed.advisoryRevision !== parts.advisoryRevision()) await addJob(tx, 'examine', digest, now())
        return made
      })
      announce(places)
    },
    async giveUp(digest, problem) {
      const manifest = await find(digest)
      if (manifest === undefined) return
      const examined = unexaminable(manifest, problem, parts.advisoryRevision(), new Date(now()))
      announce(
        await records.write(async (tx) => {
          await putEvidence(tx, manifest.id, examined, parts.extractorRevision, now())
          return judgeNow(tx, manifest)
        }),
      )
    },
    async rejudge(subject, jobId) {
      if (subject === '*') await eachOfOtherPolicy(records, parts.policy.revision, rejudgeOne)
      else {
        const manifest = await find(subject as Digest)
        if (manifest !== undefined) await rejudgeOne(manifest)
      }
      await records.write((tx) => finishJob(tx, jobId))
    },
    async rematch(jobId) {
      let after = 0
      for (;;) {
        const stale = await staleManifests(records, parts.advisoryRevision(), parts.extractorRevision, after)
        if (stale.length === 0) break
        await records.write(async (tx) => {
          for (const manifest of stale) await addJob(tx, 'examine', manifest.digest, now())
        })
        after = stale.at(-1)?.id ?? after
      }
      await records.write((tx) => finishJob(tx, jobId))
    },
  }
}

function unexaminable(manifest: Judged, problem: string, advisoryRevision: string, at: Date): Examined {
  const parsed: Evidence = {
    digest: manifest.digest,
    kind: manifest.kind,
    packages: [],
    findings: [],
    doubts: [{ doubt: 'unreadable', detail: `its examination failed: ${problem}` }],
    advisoryRevision,
    advisoryDate: at.toISOString(),
    examinedAt: at.toISOString(),
  }
  return { evidence: zstdCompressSync(JSON.stringify(parsed)), parsed, subjects: [] }
}

function hasLayers(manifest: Judged): boolean {
  return manifest.kind === 'image' || manifest.kind === 'artifact'
}

async function eachOfOtherPolicy(records: Records, revision: string, work: (manifest: Judged) => Promise<void>): Promise<void> {
  let after = 0
  for (;;) {
    const rows = await records.read
      .selectFrom('manifests as m')
      .innerJoin('verdicts as v', 'v.manifest_id', 'm.id')
      .select(['m.id', 'm.digest', 'm.kind'])
      .distinct()
      .where('v.policy_revision', '!=', revision)
      .where('m.id', '>', after)
      .orderBy('m.id')
      .limit(batch)
      .$castTo<Judged>()
      .execute()
    if (rows.length === 0) return
    for (const manifest of rows) await work(manifest)
    after = rows.at(-1)?.id ?? after
  }
}

function staleManifests(records: Records, advisoryRevision: string, extractorRevision: string, after: number): Promise<Judged[]> {
  return records.read
    .selectFrom('manifests as m')
    .innerJoin('evidence as e', 'e.manifest_id', 'm.id')
    .select(['m.id', 'm.digest', 'm.kind'])
    .where((where) => where.or([where('e.advisory_revision', '!=', advisoryRevision), where('e.extractors', '!=', extractorRevision)]))
    .where('m.id', '>', after)
    .orderBy('m.id')
    .limit(batch)
    .$castTo<Judged>()
    .execute()
}

async function readEvidence(tx: Tx, manifestId: number): Promise<EvidenceAt | undefined> {
  const row = await tx.selectFrom('evidence').select(['content', 'revision']).where('manifest_id', '=', manifestId).executeTakeFirst()
  return row === undefined ? undefined : { evidence: decodeEvidence(row.content), revision: row.revision }
}

/** In: the stored form. Throws LazaretError INTERNAL where it is damaged. */
export function decodeEvidence(content: Uint8Array): Evidence {
  try {
    return JSON.parse(zstdDecompressSync(content, { maxOutputLength: mostEvidenceBytes }).toString('utf8')) as Evidence
  } catch (cause) {
    throw new LazaretError('INTERNAL', 'stored evidence is damaged', { cause })
  }
}

async function putEvidence(tx: Tx, manifestId: number, examined: Examined, extractors: string, now: number): Promise<void> {
  const before = await tx.selectFrom('evidence').select('revision').where('manifest_id', '=', manifestId).executeTakeFirst()
  const row = {
    revision: (before?.revision ?? 0) + 1,
    advisory_revision: examined.parsed.advisoryRevision,
    extractors,
    content: Buffer.from(examined.evidence),
    examined_at: now,
  }
  await tx
    .insertInto('evidence')
    .values({ manifest_id: manifestId, ...row })
    .onConflict((conflict) => conflict.column('manifest_id').doUpdateSet(row))
    .execute()
  const ids = await putPackageVersions(tx, examined.subjects)
  await putMatches(tx, examined, ids)
  await putImagePackages(tx, manifestId, examined, ids)
}

const keyOf = (subject: PackageVersion) => `${subject.ecosystem}\n${subject.name}\n${subject.version}`

async function putPackageVersions(tx: Tx, subjects: (PackageVersion | null)[]): Promise<Map<string, number>> {
  const distinct = new Map(subjects.filter((subject) => subject !== null).map((subject) => [keyOf(subject), subject]))
  const ids = new Map<string, number>()
  const wanted = [...distinct.values()]
  for (let at = 0; at < wanted.length; at += batch) {
    const some = wanted.slice(at, at + batch)
    await tx
      .insertInto('package_versions')
      .values(some.map(({ ecosystem, name, version }) => ({ ecosystem, name, version, matched_revision: null })))
      .onConflict((conflict) => conflict.columns(['ecosystem', 'name', 'version']).doNothing())
      .execute()
    const rows = await tx
      .selectFrom('package_versions')
      .select(['id', 'ecosystem', 'name', 'version'])
      .where('name', 'in', [...new Set(some.map((subject) => subject.name))])
      .execute()
    for (const row of rows) ids.set(keyOf(row), row.id)
  }
  return ids
}

/** Findings belong to a package version, not to an image: they are replaced where the advisories have moved. */
async function putMatches(tx: Tx, examined: Examined, ids: Map<string, number>): Promise<void> {
  const revision = examined.parsed.advisoryRevision
  const all = [...new Set(ids.values())]
  const current = new Set<number>()
  for (let at = 0; at < all.length; at += batch) {
    const rows = await tx.selectFrom('package_versions').select('id').where('id', 'in', all.slice(at, at + batch)).where('matched_revision', '=', revision).execute()
    for (const row of rows) current.add(row.id)
  }
  const wanted = new Set(examined.subjects.flatMap((subject) => (subject === null ? [] : [ids.get(keyOf(subject)) ?? -1])))
  const moved = [...wanted].filter((id) => !current.has(id))
  for (let at = 0; at < moved.length; at += batch) {
    const some = moved.slice(at, at + batch)
    await tx.deleteFrom('matches').where('package_version_id', 'in', some).execute()
    await tx.updateTable('package_versions').set({ matched_revision: revision }).where('id', 'in', some).execute()
  }
  const movedSet = new Set(moved)
  const rows = examined.parsed.findings.flatMap((finding) => {
    const id = ids.get(keyOf({ ecosystem: finding.ecosystem, name: finding.packageName, version: finding.packageVersion }))
    if (id === undefined || !movedSet.has(id)) return []
    return [{ package_version_id: id, finding_id: finding.id, severity: finding.severity, known_exploited: finding.knownExploited ? 1 : 0, finding: JSON.stringify(finding) }]
  })
  for (let at = 0; at < rows.length; at += batch) {
    await tx
      .insertInto('matches')
      .values(rows.slice(at, at + batch))
      .onConflict((conflict) => conflict.columns(['package_version_id', 'finding_id']).doNothing())
      .execute()
  }
}

async function putImagePackages(tx: Tx, manifestId: number, examined: Examined, ids: Map<string, number>): Promise<void> {
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
  for (let at = 0; at < rows.length; at += batch) await tx.insertInto('image_packages').values(rows.slice(at, at + batch)).execute()
}
