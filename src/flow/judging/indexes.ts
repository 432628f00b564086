import { judgeIndex } from '../../judge/judge.ts'
import type { Policy } from '../../judge/policy.ts'
import type { Digest } from '../../model/digest.ts'
import type { ChildVerdict, Decision, Reason, Verdict } from '../../model/verdict.ts'
import type { Tx } from '../../store/records/records.ts'
import type { Judged } from './judging.ts'

interface ChildRow {
  digest: Digest
  platform: string | null
  held: number | null
  decision: Decision | null
  reasons: string | null
}

/** Children of an index in this repository, attestations left out: they go with what they describe. */
export async function childrenOf(tx: Tx, repositoryId: number, indexId: number): Promise<(ChildVerdict & { reasons: Reason[] })[]> {
  const rows = await tx
    .selectFrom('manifest_children as c')
    .leftJoin('manifests as m', 'm.digest', 'c.child_digest')
    .leftJoin('manifest_links as l', (join) => join.onRef('l.manifest_id', '=', 'm.id').on('l.repository_id', '=', repositoryId))
    .leftJoin('verdicts as v', (join) => join.onRef('v.manifest_id', '=', 'm.id').on('v.repository_id', '=', repositoryId))
    .select([
      'c.child_digest as digest',
      'c.platform as platform',
      'l.manifest_id as held',
      'v.decision as decision',
      'v.reasons as reasons',
    ])
    .where('c.manifest_id', '=', indexId)
    .where('c.attests', 'is', null)
    .orderBy('c.position')
    .$castTo<ChildRow>()
    .execute()
  return rows.map((row) => ({
    digest: row.digest,
    ...(row.platform === null ? {} : { platform: row.platform }),
    decision: row.held === null ? 'deny' : (row.decision ?? 'pending'),
    reasons: row.reasons === null ? [] : (JSON.parse(row.reasons) as Reason[]),
  }))
}

export async function indexVerdict(tx: Tx, repositoryId: number, index: Judged, policy: Policy, now: Date): Promise<Verdict> {
  return judgeIndex(await childrenOf(tx, repositoryId, index.id), policy, now)
}

/** Indexes of this repository that list the manifest. */
export function parentsOf(tx: Tx, repositoryId: number, digest: Digest): Promise<Judged[]> {
  return tx
    .selectFrom('manifest_children as c')
    .innerJoin('manifests as m', 'm.id', 'c.manifest_id')
    .innerJoin('manifest_links as l', 'l.manifest_id', 'm.id')
    .select(['m.id', 'm.digest', 'm.kind'])
    .distinct()
    .where('c.child_digest', '=', digest)
    .where('c.attests', 'is', null)
    .where('l.repository_id', '=', repositoryId)
    .limit(1000)
    .$castTo<Judged>()
    .execute()
}
