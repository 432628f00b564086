// Which images a change of advisories touches: from the names in the change to package versions, those of them that come to something
// else, and the images that hold these. Everything goes by indexes, in small steps, between which others have their turn.
import { sql } from 'kysely'
import type { ChangeSet } from '../../advisories/changes.ts'
import type { Digest } from '../../model/digest.ts'
import type { PackageVersion } from '../../model/package.ts'
import { storedEcosystems } from '../../store/ecosystems.ts'
import { addRematches } from '../../store/estate.ts'
import { addJob, priorities } from '../../store/jobs/jobs.ts'
import type { Records, Tx } from '../../store/records/records.ts'
import { normalName, spellingsOf } from '../../versions/ecosystem.ts'
import type { WorkerPool } from '../worker/pool.ts'

export interface Touching {
  records: Records
  workers: Pick<WorkerPool, 'compare'>
  /** The revision by which the evidence of all images is right. */
  since: string
  revision: string
  changeId: number
  inUseSince: number
  now: () => number
}

interface VersionRow extends PackageVersion {
  id: number
}

/** Names, package versions, images in one step. */
const namesAtOnce = 200
const versionsAtOnce = 500
const holdersAtOnce = 40
const imagesAtOnce = 1000

/**
 * Queues what the change touches. In: what came. Out: how many package versions were matched again, and how many of them moved; undefined
 * where other advisories than those are in force by now.
 */
export async function queueTouched(parts: Touching, changes: ChangeSet): Promise<{ versions: number; moved: number } | undefined> {
  const namesOf = namesByEcosystem(changes.packages)
  const counts = { versions: 0, moved: 0 }
  for (const ecosystem of await storedEcosystems(parts.records)) {
    const spellings = [...spellingsOf(ecosystem)]
    if (spellings.some((spelling) => changes.covered.includes(spelling))) {
      await queueEcosystem(parts, ecosystem)
      continue
    }
    const names = new Set(
      spellings.flatMap((spelling) => [...(namesOf.get(spelling) ?? [])].flatMap((name) => [name, normalName(ecosystem, name)])),
    )
    for await (const versions of storedVersions(parts.records, ecosystem, [...names])) {
      const compared = await parts.workers.compare({ since: parts.since, subjects: versions.map(subjectOfRow) })
      if (compared.revision !== parts.revision) return undefined
      const moved = compared.moved.flatMap((at) => versions[at]?.id ?? [])
      counts.versions += versions.length
      counts.moved += moved.length
      for await (const held of holdersOf(parts.records, moved)) await queue(parts, held)
    }
  }
  if (changes.dated) for await (const stale of staleImages(parts.records)) await queue(parts, stale, { dated: true })
  return counts
}

/** As it was always: examined anew from the facts of its layers, where its evidence is of other advisories. */
export async function queueAll(parts: Touching): Promise<void> {
  for (let after = 0; ; ) {
    const rows = await parts.records.read
      .selectFrom('evidence')
      .select('manifest_id')
      .where('advisory_revision', '!=', parts.revision)
      .where('manifest_id', '>', after)
      .orderBy('manifest_id')
      .limit(imagesAtOnce)
      .execute()
    const last = rows.at(-1)
    if (last === undefined) return
    after = last.manifest_id
    await queueWhole(
      parts,
      rows.map((row) => row.manifest_id),
    )
  }
}

async function queueEcosystem(parts: Touching, ecosystem: string): Promise<void> {
  for (let after = 0; ; ) {
    const rows = await parts.records.read
      .selectFrom('package_versions')
      .select('id')
      .where('ecosystem', '=', ecosystem)
      .where('id', '>', after)
      .orderBy('id')
      .limit(versionsAtOnce)
      .execute()
    const last = rows.at(-1)
    if (last === undefined) return
    after = last.id
    const ids = rows.map(({ id }) => id)
    for await (const held of holdersOf(parts.records, ids)) await queueWhole(parts, held)
  }
}

async function queueWhole(parts: Touching, manifestIds: number[]): Promise<void> {
  await queue(parts, manifestIds, { whole: true }, async (tx) => {
    const rows = await tx.selectFrom('manifests').select('digest').where('id', 'in', manifestIds).$castTo<{ digest: Digest }>().execute()
    for (const { digest } of rows) await addJob(tx, 'examine', digest, parts.now(), priorities.swept)
  })
}

async function queue(
  { records, since, changeId, inUseSince }: Touching,
  manifestIds: number[],
  how: { whole?: boolean; dated?: boolean } = {},
  more: (tx: Tx) => Promise<void> = async () => undefined,
): Promise<void> {
  const change = async (tx: Tx) => {
    await addRematches(tx, manifestIds, { since, changeId, inUseSince, ...how })
    await more(tx)
  }
  await records.write(change, { sync: 'behind' }) // what the power takes is queued again: the estate stands where it stood
}

function namesByEcosystem(packages: ChangeSet['packages']): Map<string, Set<string>> {
  const names = new Map<string, Set<string>>()
  for (const { ecosystem, name } of packages) {
    const known = names.get(ecosystem) ?? new Set()
    names.set(ecosystem, known.add(name))
  }
  return names
}

async function* storedVersions(records: Records, ecosystem: string, names: string[]): AsyncGenerator<VersionRow[]> {
  for (let at = 0; at < names.length; at += namesAtOnce) {
    const rows = await records.read
      .selectFrom('package_versions')
      .select(['id', 'ecosystem', 'name', 'version'])
      .where('ecosystem', '=', ecosystem)
      .where('name', 'in', names.slice(at, at + namesAtOnce))
      .execute()
    for (let from = 0; from < rows.length; from += versionsAtOnce) yield rows.slice(from, from + versionsAtOnce)
  }
}

function subjectOfRow({ ecosystem, name, version }: VersionRow): PackageVersion {
  return { ecosystem, name, version }
}

/** Of many versions with few holders together; of one that thousands hold alone, page by page. */
async function* holdersOf(records: Records, versionIds: readonly number[]): AsyncGenerator<number[]> {
  for (let at = 0; at < versionIds.length; at += holdersAtOnce) {
    const some = versionIds.slice(at, at + holdersAtOnce)
    const together = await holdersIn(records, some, 0)
    if (together.length <= imagesAtOnce) {
      if (together.length > 0) yield together
      continue
    }
    for (const id of some) {
      for (let after = 0; ; ) {
        const page = (await holdersIn(records, [id], after)).slice(0, imagesAtOnce)
        if (page.length > 0) yield page
        if (page.length < imagesAtOnce) break
        after = page.at(-1) ?? 0
      }
    }
  }
}

async function holdersIn(records: Records, versionIds: number[], after: number): Promise<number[]> {
  const rows = await records.read
    .selectFrom('image_packages')
    .select('manifest_id')
    .distinct()
    .where('package_version_id', 'in', versionIds)
    .where('manifest_id', '>', after)
    .$if(versionIds.length === 1, (query) => query.orderBy('manifest_id'))
    .limit(imagesAtOnce + 1)
    .execute()
  return rows.map((row) => row.manifest_id)
}

/** Those in whose verdict the age of the advisories is a reason. */
async function* staleImages(records: Records): AsyncGenerator<number[]> {
  for (let after = 0; ; ) {
    const rows = await records.read
      .selectFrom('verdicts as v')
      .innerJoin('evidence as e', 'e.manifest_id', 'v.manifest_id')
      .select('v.manifest_id')
      .distinct()
      .where('v.stale', '=', sql<number>`1`)
      .where('v.manifest_id', '>', after)
      .orderBy('v.manifest_id')
      .limit(imagesAtOnce)
      .execute()
    const last = rows.at(-1)
    if (last === undefined) return
    yield rows.map((row) => row.manifest_id)
    after = last.manifest_id
  }
}
