import { setImmediate } from 'node:timers/promises'
import { zstdCompressSync } from 'node:zlib'
import type { Policy } from '../judge/policy.ts'
import { traced } from '../kit/tracing/span.ts'
import type { Digest } from '../model/digest.ts'
import type { Evidence } from '../model/verdict.ts'
import { recordChain } from '../store/chains.ts'
import { addJob, finishJob, priorities } from '../store/jobs/jobs.ts'
import type { Records, Tx } from '../store/records/records.ts'
import type { VerdictWaiters } from '../store/verdicts.ts'
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
    return row?.advisory_revision === parts.advisoryRevision() && row.extractors === parts.extractorRevision
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
  async function judgeNow(tx: Tx, manifest: Judged, fresh?: EvidenceAt, where = judgeEverywhere): Promise<Place[]> {
    const cache = new Map<number, EvidenceAt | undefined>(fresh === undefined ? [] : [[manifest.id, fresh]])
    const evidenceOf = async (id: number) => {
      if (!cache.has(id)) cache.set(id, await readEvidence(tx, id))
      return cache.get(id)
    }
    return traced('judge', () => (fresh === undefined ? where : judgeEverywhere)(tx, manifest, evidenceOf, parts.policy, new Date(now())))
  }

  async function keep(tx: Tx, manifest: Judged, { examined, extractors }: Found): Promise<EvidenceAt> {
    const kept = await putEvidence(tx, manifest.id, examined, extractors, now())
    await recordChain(tx, manifest.id)
    return kept
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
      const found =
        manifest === undefined || !hasLayers(manifest) || (await isCurrent(manifest.id)) ? undefined : await examineBytes(manifest)
      const change = async (tx: Tx) => {
        const fresh = manifest === undefined || found === undefined ? undefined : await keep(tx, manifest, found)
        const made = manifest === undefined ? [] : await judgeNow(tx, manifest, fresh, judgeWhereNeeded)
        await finishJob(tx, jobId)
        // The rematch that an import calls for may have passed before this evidence was there to be found stale.
        if (found !== undefined && found.examined.parsed.advisoryRevision !== parts.advisoryRevision())
          await addJob(tx, 'examine', digest, now())
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
    async rematch(jobId) {
      for await (const stale of staleManifests(records, parts.advisoryRevision(), parts.extractorRevision))
        await records.write(async (tx) => {
          for (const manifest of stale) await addJob(tx, 'examine', manifest.digest, now(), priorities.swept)
        })
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

/** Out: in pages, those whose evidence was made from other advisories or by other extractors. */
async function* staleManifests(records: Records, advisoryRevision: string, extractorRevision: string): AsyncGenerator<Judged[]> {
  for await (const { after, upTo } of idRanges(records)) {
    const rows = await records.read
      .selectFrom('manifests as m')
      .innerJoin('evidence as e', 'e.manifest_id', 'm.id')
      .select(['m.id', 'm.digest', 'm.kind'])
      .where((where) => where.or([where('e.advisory_revision', '!=', advisoryRevision), where('e.extractors', '!=', extractorRevision)]))
      .where('m.id', '>', after)
      .where('m.id', '<=', upTo)
      .orderBy('m.id')
      .$castTo<Judged>()
      .execute()
    if (rows.length > 0) yield rows
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
