import { sql } from 'kysely'
import type { Digest } from '../../model/digest.ts'
import type { ManifestKind } from '../../model/manifest.ts'
import type { DoubtNote, Evidence, Verdict } from '../../model/verdict.ts'
import { judge } from '../../judge/judge.ts'
import type { Policy } from '../../judge/policy.ts'
import type { Tx } from '../../store/records/records.ts'
import { lockRepository } from '../../store/repositories.ts'
import { damageOf } from '../../store/scrub/damage.ts'
import { putVerdict } from '../../store/verdicts.ts'
import { attestationVerdict, attestationsOf } from './attestations.ts'
import { cacheVerdict } from './caches.ts'
import { indexVerdict, parentsOf } from './indexes.ts'

export interface Judged {
  id: number
  digest: Digest
  kind: ManifestKind
}

export interface EvidenceAt {
  evidence: Evidence
  revision: number
}

export type EvidenceReader = (manifestId: number) => Promise<EvidenceAt | undefined>

export interface Place {
  repositoryId: number
  manifestId: number
}

/** Indexes inside indexes inside … : deeper than this nothing is judged anew, and the gate holds it. */
const deepest = 8

/**
 * Makes the verdicts of a manifest in every repository that holds it, then those of the indexes that list it and of the
 * attestations that describe it, in this transaction. In: how to read its evidence; the change of advisories that it is for. Out: the places whose verdict was made.
 */
export async function judgeEverywhere(
  tx: Tx,
  manifest: Judged,
  evidenceOf: EvidenceReader,
  policy: Policy,
  now: Date,
  change?: number,
): Promise<Place[]> {
  return judgeIn(tx, await holdersOf(tx, manifest), manifest, evidenceOf, policy, now, change)
}

/** The same, where the verdict that stands is not by this evidence and this policy, or has had its time. */
export async function judgeWhereNeeded(tx: Tx, manifest: Judged, evidenceOf: EvidenceReader, policy: Policy, now: Date): Promise<Place[]> {
  // An index has no evidence, and is judged anew whenever a child of it is.
  const revision = manifest.kind === 'index' || manifest.kind === 'cache' ? 0 : (await evidenceOf(manifest.id))?.revision
  if (revision === undefined) return judgeEverywhere(tx, manifest, evidenceOf, policy, now)
  const { rows } = await sql<{ id: number }>`select l.repository_id as id from manifest_links l
    left join verdicts v on v.manifest_id = l.manifest_id and v.repository_id = l.repository_id and v.decision <> 'pending'
      and v.evidence_revision = ${revision} and v.policy_revision = ${policy.revision}
      and (v.valid_until is null or v.valid_until > ${now.getTime()})
    where l.manifest_id = ${manifest.id} and v.manifest_id is null order by l.repository_id`.execute(tx)
  const needing = rows.map(({ id }) => id)
  return judgeIn(tx, needing, manifest, evidenceOf, policy, now)
}

async function holdersOf(tx: Tx, manifest: Judged): Promise<number[]> {
  const holders = await tx
    .selectFrom('manifest_links')
    .select('repository_id')
    .where('manifest_id', '=', manifest.id)
    .orderBy('repository_id')
    .execute()
  return holders.map((row) => row.repository_id)
}

/** In: repositories in the order of their ids. */
async function judgeIn(
  tx: Tx,
  repositories: readonly number[],
  manifest: Judged,
  evidenceOf: EvidenceReader,
  policy: Policy,
  now: Date,
  change?: number,
): Promise<Place[]> {
  const places: Place[] = []
  for (const repositoryId of repositories) {
    await lockRepository(tx, repositoryId)
    if (await isHeld(tx, repositoryId, manifest.id))
      places.push(...(await judgeHere(tx, repositoryId, manifest, evidenceOf, policy, now, change)))
  }
  return places
}

async function judgeHere(
  tx: Tx,
  repositoryId: number,
  manifest: Judged,
  evidenceOf: EvidenceReader,
  policy: Policy,
  now: Date,
  change: number | undefined,
): Promise<Place[]> {
  const places: Place[] = []
  let level = [manifest]
  for (let depth = 0; depth <= deepest && level.length > 0; depth++) {
    for (const one of level) {
      const verdict = await verdictOf(tx, repositoryId, one, evidenceOf, policy, now)
      if (verdict === undefined) continue
      await putVerdict(tx, repositoryId, one.id, verdict, change)
      places.push({ repositoryId, manifestId: one.id })
    }
    level = await touchedBy(tx, repositoryId, level)
  }
  return places
}

/** It may have been deleted there before the lock was ours. */
async function isHeld(tx: Tx, repositoryId: number, manifestId: number): Promise<boolean> {
  const link = await tx
    .selectFrom('manifest_links')
    .select('manifest_id')
    .where('repository_id', '=', repositoryId)
    .where('manifest_id', '=', manifestId)
    .executeTakeFirst()
  return link !== undefined
}

/** Each once a level, whatever a hostile lattice of indexes says. */
async function touchedBy(tx: Tx, repositoryId: number, level: Judged[]): Promise<Judged[]> {
  const touched = new Map<number, Judged>()
  for (const one of level) {
    for (const other of await parentsOf(tx, repositoryId, one.digest)) touched.set(other.id, other)
    for (const other of await attestationsOf(tx, repositoryId, one)) touched.set(other.id, other)
  }
  return [...touched.values()]
}

/** Out: undefined while there is nothing to judge by: it stays pending. */
async function verdictOf(
  tx: Tx,
  repositoryId: number,
  manifest: Judged,
  evidenceOf: EvidenceReader,
  policy: Policy,
  now: Date,
): Promise<Verdict | undefined> {
  if (manifest.kind === 'index') return indexVerdict(tx, repositoryId, manifest, policy, now)
  if (manifest.kind === 'cache') return cacheVerdict(policy, now)
  const known = await evidenceOf(manifest.id)
  if (known === undefined) return undefined
  const damage = await damageOf(tx, manifest.id)
  if (damage.length > 0) return judge(withDamage(known.evidence, damage), known.revision, policy, now)
  const described = await attestationVerdict(tx, repositoryId, manifest, known.evidence, policy, now)
  return described ?? judge(known.evidence, known.revision, policy, now)
}

/** What the disk did to it since it was examined is no part of what was found in it, and may be mended by a push. */
function withDamage(evidence: Evidence, damage: string[]): Evidence {
  return { ...evidence, doubts: [...damage.map((detail): DoubtNote => ({ doubt: 'damaged', detail })), ...evidence.doubts] }
}
