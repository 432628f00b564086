import type { Policy } from '../../judge/policy.ts'
import type { Digest } from '../../model/digest.ts'
import type { Evidence, Verdict } from '../../model/verdict.ts'
import type { Tx } from '../../store/records/records.ts'
import type { Judged } from './judging.ts'

/**
 * BuildKit's attestation manifests have an image config and layers of JSON. An index says which child one describes, and then
 * it has that child's verdict. But only where every layer is JSON, and is called what no runtime unpacks: an index may claim this of
 * anything, and a file may be read as two things.
 * Out: undefined where this is no attestation.
 */
export async function attestationVerdict(
  tx: Tx,
  repositoryId: number,
  manifest: Judged,
  evidence: Evidence,
  policy: Policy,
  now: Date,
): Promise<Verdict | undefined> {
  if (evidence.allJson !== true || !(await isAllInToto(tx, manifest.id))) return undefined
  const described = await tx
    .selectFrom('manifest_children as c')
    .innerJoin('manifest_links as holder', 'holder.manifest_id', 'c.manifest_id')
    .innerJoin('manifests as subject', 'subject.digest', 'c.attests')
    .innerJoin('manifest_links as held', 'held.manifest_id', 'subject.id')
    .innerJoin('manifest_children as sibling', (join) =>
      join.onRef('sibling.manifest_id', '=', 'c.manifest_id').onRef('sibling.child_digest', '=', 'c.attests'),
    )
    .leftJoin('verdicts as v', (join) => join.onRef('v.manifest_id', '=', 'subject.id').on('v.repository_id', '=', repositoryId))
    .select(['subject.digest as digest', 'v.decision as decision', 'v.reasons as reasons'])
    .where('c.child_digest', '=', manifest.digest)
    .where('holder.repository_id', '=', repositoryId)
    .where('held.repository_id', '=', repositoryId)
    .limit(100)
    .$castTo<{ digest: Digest; decision: Verdict['decision'] | null; reasons: string | null }>()
    .execute()
  if (described.length === 0) return undefined
  const best = described.find((row) => row.decision === 'allow') ?? described.find((row) => row.decision === 'warn') ?? described[0]
  return {
    decision: best?.decision ?? 'pending',
    policy: policy.name,
    policyRevision: policy.revision,
    evidenceRevision: 0,
    judgedAt: now.toISOString(),
    reasons: JSON.parse(best?.reasons ?? '[]') as Verdict['reasons'],
  }
}

async function isAllInToto(tx: Tx, manifestId: number): Promise<boolean> {
  const other = await tx
    .selectFrom('manifest_blobs')
    .select('position')
    .where('manifest_id', '=', manifestId)
    .where('role', '=', 'layer')
    .where('media_type', '!=', 'application/vnd.in-toto+json')
    .limit(1)
    .executeTakeFirst()
  return other === undefined
}

/** The attestations that have to be judged anew: of a manifest that was judged, or all that an index lists. */
export async function attestationsOf(tx: Tx, repositoryId: number, manifest: Judged): Promise<Judged[]> {
  return tx
    .selectFrom('manifest_children as c')
    .innerJoin('manifests as m', 'm.digest', 'c.child_digest')
    .innerJoin('manifest_links as l', 'l.manifest_id', 'm.id')
    .select(['m.id', 'm.digest', 'm.kind'])
    .distinct()
    .where('c.attests', 'is not', null)
    .where((where) => (manifest.kind === 'index' ? where('c.manifest_id', '=', manifest.id) : where('c.attests', '=', manifest.digest)))
    .where('l.repository_id', '=', repositoryId)
    .where('m.id', '!=', manifest.id)
    .limit(1000)
    .$castTo<Judged>()
    .execute()
}
