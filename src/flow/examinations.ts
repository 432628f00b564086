import { setImmediate } from 'node:timers/promises'
import { zstdCompressSync } from 'node:zlib'
import { sql } from 'kysely'
import type { ChangeSet } from '../advisories/changes.ts'
import type { Policy } from '../judge/policy.ts'
import { traced } from '../kit/tracing/span.ts'
import type { Digest } from '../model/digest.ts'
import type { Evidence } from '../model/verdict.ts'
import { recordChain } from '../store/chains.ts'
import { estateOf, rematchDue } from '../store/estate.ts'
import { addJob, finishJob, priorities } from '../store/jobs/jobs.ts'
import type { Records, Tx } from '../store/records/records.ts'
import type { VerdictWaiters } from '../store/verdicts.ts'
import { createEstateKeeper } from './advisories/estate.ts'
import type { Inventories } from './inventories.ts'
import { judgeEverywhere, judgeWhereNeeded, type EvidenceAt, type Judged, type Place } from './judging/judging.ts'
import { putEvidence, readEvidence } from './kept-evidence.ts'
import type { Examined, LayerInput } from './worker/protocol.ts'
import type { WorkerPool } from './worker/pool.ts'

/** From a manifest to its evidence and its verdicts. */
export interface Examinations {
  /** Examines unless the evidence is of this day already, then judges; the job ends in the same transaction. */
  examine(digest: Digest, jobId: number): Promise<void>
  /** After the last attempt: evidence that says `unreadable`, so that the gate holds it with a reason. */
  giveUp(digest: Digest, problem: string): Promise<void>
  /** Judges what evidence there is by the policy in force. `*`: every manifest whose verdict is of another policy. */
  rejudge(subject: string, jobId: number): Promise<void>
  /**
   * Brings all evidence to the advisories in force (advisories/estate.ts), and queues the examination of every image whose evidence is of
   * other extractors.
   */
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
  /** What came since a revision. Where nothing is given, or nobody can tell, all are examined again. */
  changesSince?: (revision: string) => ChangeSet | 'all'
  /** ISO 8601: how old the advisories are that judge an image. Where nothing is given, as its evidence says. */
  advisoryDate?: (evidence: Evidence) => string
  /** Who pulled within so many days uses it. */
  inUseDays?: number
  now: () => number
}

/** Ids of manifests looked at in one go. */
const batch = 500
/** A manifest of 4 MiB names thousands of blobs. */
const mostReadAtOnce = 4
/** In place of the extractors' revision: this evidence tells of a failure, and is made anew whenever it is asked for. */
const unfinished = 'unfinished'

/** What was found, and by which extractors. */
interface Found {
  examined: Examined
  extractors: string
}

export function createExaminations(parts: ExaminationParts): Examinations {
  const { records, inventories, workers, now } = parts

  async function find(digest: Digest): Promise<Judged | undefined> {
    return records.read
      .selectFrom('manifests')
      .select(['id', 'digest', 'kind'])
      .where('digest', '=', digest)
      .$castTo<Judged>()
      .executeTakeFirst()
  }

  async function isCurrent(manifestId: number): Promise<boolean> {
    const row = await records.read
      .selectFrom('evidence')
      .select(['advisory_revision', 'extractors'])
      .where('manifest_id', '=', manifestId)
      .executeTakeFirst()
    if (row?.extractors !== parts.extractorRevision) return false
    const revision = parts.advisoryRevision()
    if (row.advisory_revision === revision) return true
    const estate = await estateOf(records.read)
    return estate.revision === revision && estate.moving === undefined && (await rematchDue(records.read, manifestId)) === undefined
  }

  async function examineBytes(manifest: Judged): Promise<Found> {
    const rows = await records.read
      .selectFrom('manifest_blobs')
      .select(['blob_digest', 'role'])
      .where('manifest_id', '=', manifest.id)
      .orderBy('position')
      .execute()
    const inputs: LayerInput[] = []
    for (let at = 0; at < rows.length; at += mostReadAtOnce) {
      inputs.push(...(await Promise.all(rows.slice(at, at + mostReadAtOnce).map((row) => inventories.of(row.blob_digest as Digest)))))
    }
    const layers = inputs.filter((_, at) => rows[at]?.role === 'layer')
    const config = inputs.find((_, at) => rows[at]?.role === 'config')
    const examined = await workers.examine({
      digest: manifest.digest,
      kind: manifest.kind,
      layers,
      ...(config === undefined ? {} : { config }),
    })
    return { examined, extractors: inputs.some((input) => input.state === 'unexamined') ? unfinished : parts.extractorRevision }
  }

  /** In: evidence that was put in this transaction, to be read once; where there is none, in which places a verdict is made. */
  async function judgeNow(tx: Tx, manifest: Judged, fresh?: EvidenceAt, where = judgeEverywhere, change?: number): Promise<Place[]> {
    const cache = new Map<number, EvidenceAt | undefined>(fresh === undefined ? [] : [[manifest.id, fresh]])
    const evidenceOf = async (id: number) => {
      if (!cache.has(id)) cache.set(id, datedNow(await readEvidence(tx, id)))
      return cache.get(id)
    }
    const judging = fresh === undefined ? where : judgeEverywhere
    return traced('judge', () => judging(tx, manifest, evidenceOf, parts.policy, new Date(now()), change))
  }

  /** Evidence that no change touched is as fresh as the advisories in force, whenever it was made. */
  function datedNow(known: EvidenceAt | undefined): EvidenceAt | undefined {
    if (known === undefined || parts.advisoryDate === undefined || known.evidence.advisoryRevision === parts.advisoryRevision())
      return known
    return { ...known, evidence: { ...known.evidence, advisoryDate: parts.advisoryDate(known.evidence) } }
  }

  async function keep(tx: Tx, manifest: Judged, { examined, extractors }: Found): Promise<EvidenceAt & { change: number | undefined }> {
    const kept = await putEvidence(tx, manifest.id, examined, extractors, now())
    await recordChain(tx, manifest.id)
    const change = (await rematchDue(tx, manifest.id))?.changeId
    await estate.noteKept(tx, manifest.id, examined.parsed.advisoryRevision)
    return { ...kept, change }
  }

  function announce(places: Place[]): void {
    for (const place of places) parts.waiters.announce(place.repositoryId, place.manifestId)
  }

  async function rejudgeOne(manifest: Judged): Promise<void> {
    announce(await records.write((tx) => judgeNow(tx, manifest)))
  }

  const estate = createEstateKeeper({
    records,
    workers,
    advisoryRevision: parts.advisoryRevision,
    changesSince: parts.changesSince ?? (() => 'all'),
    inUseDays: parts.inUseDays ?? 0,
    judge: (tx, manifest, evidence, change) => judgeNow(tx, manifest, evidence, judgeEverywhere, change),
    announce,
    sweep: () => queueOtherExtractors(records, parts.extractorRevision, now),
    now,
  })

  return {
    async examine(digest, jobId) {
      const manifest = await find(digest)
      const found =
        manifest === undefined || !hasLayers(manifest) || (await isCurrent(manifest.id)) ? undefined : await examineBytes(manifest)
      const change = async (tx: Tx) => {
        const fresh = manifest === undefined || found === undefined ? undefined : await keep(tx, manifest, found)
        const made = manifest === undefined ? [] : await judgeNow(tx, manifest, fresh, judgeWhereNeeded, fresh?.change)
        await finishJob(tx, jobId)
        return made
      }
      announce(await records.write(change, { sync: 'behind' })) // what the power takes, the job that it gives back makes again
    },
    async giveUp(digest, problem) {
      const manifest = await find(digest)
      if (manifest === undefined) return
      const examined = unexaminable(manifest, problem, parts.advisoryRevision(), new Date(now()))
      announce(
        await records.write(async (tx) => {
          const fresh = await keep(tx, manifest, { examined, extractors: unfinished })
          return judgeNow(tx, manifest, fresh)
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
    rematch: (jobId) => estate.rematch(jobId),
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
  for await (const { after, upTo } of idRanges(records)) {
    const rows = await records.read
      .selectFrom('manifests as m')
      .innerJoin('verdicts as v', 'v.manifest_id', 'm.id')
      .select(['m.id', 'm.digest', 'm.kind'])
      .distinct()
      .where('v.policy_revision', '!=', revision)
      .where('m.id', '>', after)
      .where('m.id', '<=', upTo)
      .orderBy('m.id')
      .$castTo<Judged>()
      .execute()
    for (const manifest of rows) await work(manifest)
  }
}

/** By the index: what is of these extractors is not looked at, and no evidence is read. */
async function queueOtherExtractors(records: Records, extractorRevision: string, now: () => number): Promise<void> {
  const own = sql`${extractorRevision}`
  await queueBetween(records, { after: '', beyond: 0, within: sql<boolean>`e.extractors < ${own}` }, now)
  await queueBetween(
    records,
    { after: extractorRevision, beyond: Number.MAX_SAFE_INTEGER, within: sql<boolean>`e.extractors > ${own}` },
    now,
  )
}

async function queueBetween(
  records: Records,
  { after, beyond, within }: { after: string; beyond: number; within: ReturnType<typeof sql<boolean>> },
  now: () => number,
): Promise<void> {
  for (let [extractors, id] = [after, beyond]; ; ) {
    const rows = await records.read
      .selectFrom('evidence as e')
      .innerJoin('manifests as m', 'm.id', 'e.manifest_id')
      .select(['m.id', 'm.digest', 'e.extractors'])
      .where(within)
      .where(sql<boolean>`(e.extractors, e.manifest_id) > (${extractors}, ${id})`)
      .orderBy('e.extractors')
      .orderBy('e.manifest_id')
      .limit(batch)
      .execute()
    const last = rows.at(-1)
    if (last === undefined) return
    ;[extractors, id] = [last.extractors, last.id]
    await records.write(async (tx) => {
      for (const { digest } of rows) await addJob(tx, 'examine', digest, now(), priorities.swept)
    })
  }
}

/** All manifests by their ids, so that a page without a find costs no more than any other; between two others have their turn. */
async function* idRanges(records: Records): AsyncGenerator<{ after: number; upTo: number }> {
  const { last } = await records.read
    .selectFrom('manifests')
    .select((of) => of.fn.max('id').as('last'))
    .executeTakeFirstOrThrow()
  for (let after = 0; after < Number(last ?? 0); after += batch) {
    yield { after, upTo: after + batch }
    await setImmediate()
  }
}
