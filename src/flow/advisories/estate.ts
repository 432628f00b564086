// From one revision of the advisories to the next, for all images: what the change touches is queued, and then gone through, what is in
// use first. Each step is a transaction, so that whatever ends the server in between, the next start goes on from there.
import type { ChangeSet } from '../../advisories/changes.ts'
import { changeOf, countImages, countVersions, endChanges } from '../../store/advisory-changes.ts'
import { addRematches, dropRematches, estateOf, heldEstate, moveEstate, rematchDue, settleEstate } from '../../store/estate.ts'
import { addJob, finishJob, priorities } from '../../store/jobs/jobs.ts'
import type { Records, Tx } from '../../store/records/records.ts'
import type { EvidenceAt, Judged, Place } from '../judging/judging.ts'
import { replaceEvidence, type MatchedVersions } from '../kept-evidence.ts'
import type { RematchedImage } from '../worker/protocol.ts'
import type { WorkerPool } from '../worker/pool.ts'
import { queueAll, queueTouched, type Touching } from './touched.ts'

export interface EstateKeeper {
  /** Brings the estate to the advisories in force; the job ends with it, or at once where another is at it already. */
  rematch(jobId: number): Promise<void>
  /** In the transaction that keeps evidence: what has to be looked at again for it, as it is of other advisories than the estate is. */
  noteKept(tx: Tx, manifestId: number, advisoryRevision: string): Promise<void>
}

export interface EstateParts {
  records: Records
  workers: WorkerPool
  advisoryRevision: () => string
  /** What came since a revision; `all` where nobody can tell. */
  changesSince: (revision: string) => ChangeSet | 'all'
  inUseDays: number
  judge: (tx: Tx, manifest: Judged, evidence: EvidenceAt, change: number) => Promise<Place[]>
  announce: (places: Place[]) => void
  /** Queues what is of other extractors, or was left unfinished. */
  sweep: () => Promise<void>
  now: () => number
}

interface Waiting extends Judged {
  content: Uint8Array
  revision: number
  since: string
  dated: boolean
  changeId: number
}

/** Images that the worker gets in one go, and that are written in one transaction. */
const imagesAtOnce = 48
const writtenAtOnce = 12
const mostRemembered = 2000
const dayMs = 86_400_000

export function createEstateKeeper(parts: EstateParts): EstateKeeper {
  const { records, workers, now } = parts
  let underWay = false
  let again = false
  let matched: { revision: string; versions: MatchedVersions } = { revision: '', versions: new Set() }

  /** More of them than this are looked up again: it is a memory, no truth. */
  function matchedBy(revision: string): MatchedVersions {
    return matched.revision === revision && matched.versions.size < mostRemembered ? matched.versions : new Set()
  }

  /** Out: the revision that all evidence is right by, but for what waits. */
  async function advance(): Promise<string> {
    for (;;) {
      const revision = parts.advisoryRevision()
      const estate = await estateOf(records.read)
      if (estate.revision === revision && estate.moving === undefined) return revision
      await records.write((tx) => moveEstate(tx, revision))
      if (await queueChange(revision, estate.revision)) await records.write((tx) => settleEstate(tx, revision))
    }
  }

  /** Out: false where other advisories came into force meanwhile. */
  async function queueChange(revision: string, since: string | undefined): Promise<boolean> {
    const changes = since === undefined ? 'all' : parts.changesSince(since)
    const changeId = await records.write((tx) => changeOf(tx, { from: since, to: revision, came: cameOf(changes), now: now() }))
    const inUseSince = now() - parts.inUseDays * dayMs
    const touching: Touching = { records, workers, since: since ?? '', revision, changeId, inUseSince, now }
    if (changes === 'all' || changes.artifacts) {
      await queueAll(touching)
      return true
    }
    const counts = await queueTouched(touching, changes)
    if (counts !== undefined) await records.write((tx) => countVersions(tx, changeId, counts))
    return counts !== undefined
  }

  async function nextOnes(without: readonly number[]): Promise<Waiting[]> {
    const rows = await records.read
      .selectFrom('rematches as r')
      .innerJoin('evidence as e', 'e.manifest_id', 'r.manifest_id')
      .innerJoin('manifests as m', 'm.id', 'r.manifest_id')
      .select(['m.id', 'm.digest', 'm.kind', 'e.content', 'e.revision', 'r.since', 'r.dated', 'r.change_id'])
      .where('r.whole', '=', 0)
      .$if(without.length > 0, (query) => query.where('r.manifest_id', 'not in', [...without]))
      .orderBy('r.rank')
      .orderBy('r.manifest_id')
      .limit(imagesAtOnce)
      .execute()
    return rows.map(({ dated, change_id: changeId, ...row }) => ({
      ...(row as Omit<Waiting, 'dated' | 'changeId'>),
      dated: dated === 1,
      changeId,
    }))
  }

  function ask(images: readonly Waiting[]) {
    return workers.rematch({ images: images.map(({ content, since, dated }) => ({ evidence: content, since, dated })) })
  }

  /** The worker is at the next ones while these are written. Ends where none is left, or other advisories came into force. */
  async function goThrough(revision: string): Promise<void> {
    let images = await nextOnes([])
    let asked = images.length === 0 ? undefined : ask(images)
    while (asked !== undefined) {
      const answer = await asked
      const next = await nextOnes(images.map(({ id }) => id))
      asked = next.length === 0 || answer.revision !== revision ? undefined : ask(next)
      asked?.catch(() => undefined) // thrown by the next round, which awaits it; where there is none, its answer counts for nothing
      if (answer.revision !== revision || !(await write(images, answer.images, revision))) return
      images = next
    }
  }

  /** Out: false where the estate is being brought to another revision. */
  async function write(images: readonly Waiting[], answers: readonly RematchedImage[], revision: string): Promise<boolean> {
    for (let at = 0; at < images.length; at += writtenAtOnce) {
      const some = images.slice(at, at + writtenAtOnce)
      let kept: MatchedVersions = new Set()
      const change = (tx: Tx) => {
        kept = new Set(matchedBy(revision)) // a transaction may be run again
        return writeSome(tx, some, answers.slice(at, at + writtenAtOnce), revision, kept)
      }
      const places = await records.write(change, { sync: 'behind' }) // what the power takes waits again
      if (places === undefined) return false
      matched = { revision, versions: kept }
      parts.announce(places)
    }
    return true
  }

  async function writeSome(
    tx: Tx,
    images: readonly Waiting[],
    answers: readonly RematchedImage[],
    revision: string,
    kept: MatchedVersions,
  ): Promise<Place[] | undefined> {
    const estate = await heldEstate(tx)
    if (estate.moving !== undefined || estate.revision !== revision) return undefined
    const isStill = await unchanged(tx, images)
    const places: Place[] = []
    const moved = new Map<number, number>()
    const done: number[] = []
    for (const [at, image] of images.entries()) {
      const answer = answers[at]
      if (answer === undefined || !isStill.has(image.id)) continue
      if (answer.state === 'whole') {
        await addRematches(tx, [image.id], { since: image.since, whole: true, changeId: image.changeId, inUseSince: 0 })
        await addJob(tx, 'examine', image.digest, now(), priorities.swept)
        continue
      }
      done.push(image.id)
      if (answer.state !== 'moved') continue
      const evidence = await replaceEvidence(tx, image.id, answer, revision, kept)
      places.push(...(await parts.judge(tx, image, evidence, image.changeId)))
      moved.set(image.changeId, (moved.get(image.changeId) ?? 0) + 1)
    }
    await dropRematches(tx, done)
    for (const [changeId, some] of Map.groupBy(
      images.filter(({ id }) => done.includes(id)),
      (image) => image.changeId,
    ))
      await countImages(tx, changeId, { images: some.length, moved: moved.get(changeId) ?? 0 })
    return places
  }

  /** An examination may have made other evidence while the worker was at it: that is looked at by itself. */
  async function unchanged(tx: Tx, images: readonly Waiting[]): Promise<ReadonlySet<number>> {
    const rows = await tx
      .selectFrom('evidence as e')
      .innerJoin('rematches as r', 'r.manifest_id', 'e.manifest_id')
      .select(['e.manifest_id', 'e.revision', 'r.since', 'r.dated', 'r.whole'])
      .where(
        'e.manifest_id',
        'in',
        images.map(({ id }) => id),
      )
      .execute()
    const known = new Map(rows.map((row) => [row.manifest_id, row]))
    const still = images.filter(({ id, revision, since, dated }) => {
      const row = known.get(id)
      return row?.revision === revision && row.since === since && row.whole === 0 && (row.dated === 1) === dated
    })
    return new Set(still.map(({ id }) => id))
  }

  async function isLeft(): Promise<boolean> {
    const row = await records.read.selectFrom('rematches').select('manifest_id').where('whole', '=', 0).limit(1).executeTakeFirst()
    return row !== undefined
  }

  async function work(): Promise<void> {
    await parts.sweep()
    for (;;) {
      again = false
      await goThrough(await advance())
      await records.write((tx) => endChanges(tx, now()))
      const left = await isLeft()
      if (!left && !again && (await estateOf(records.read)).revision === parts.advisoryRevision()) return
    }
  }

  return {
    async rematch(jobId) {
      if (underWay) again = true
      else {
        underWay = true
        try {
          await work()
        } finally {
          underWay = false
        }
      }
      await records.write((tx) => finishJob(tx, jobId))
    },
    async noteKept(tx, manifestId, advisoryRevision) {
      const { revision, moving = revision } = await heldEstate(tx)
      const due = await rematchDue(tx, manifestId)
      await dropRematches(tx, [manifestId])
      if (due !== undefined) {
        await countImages(tx, due.changeId, { images: 1, moved: 1 })
        await endChanges(tx, now())
      }
      if (moving === undefined || moving === advisoryRevision) return
      const changeId = await changeOf(tx, { from: advisoryRevision, to: moving, came: undefined, now: now() })
      await addRematches(tx, [manifestId], { since: advisoryRevision, changeId, inUseSince: 0 })
      await addJob(tx, 'rematch', '*', now())
    },
  }
}

/** Of all that was there before nothing is said to have come. */
function cameOf(changes: ChangeSet | 'all') {
  if (changes === 'all') return { all: true }
  const { counts, covered, dated, artifacts } = changes
  return { ...counts, covered, dated, artifacts }
}
