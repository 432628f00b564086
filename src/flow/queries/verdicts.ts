import { LazaretError } from '../../kit/errors.ts'
import { may, type Principal } from '../../model/access.ts'
import type { BaseImage } from '../../model/base.ts'
import { parseDigest, type Digest } from '../../model/digest.ts'
import { isRepositoryName } from '../../model/names.ts'
import { parseImageReference, type ImageReference } from '../../model/reference.ts'
import type { ChildVerdict, Decision, Evidence, Reason } from '../../model/verdict.ts'
import type { HeldManifest, Manifests } from '../../store/manifests/manifests.ts'
import type { Records } from '../../store/records/records.ts'
import { getVerdict, type VerdictWaiters } from '../../store/verdicts.ts'
import { childrenOf } from '../judging/indexes.ts'
import { decodeEvidence } from '../evidence-form.ts'
import type { BaseQueries } from './bases.ts'

export interface VerdictAnswer {
  image: string
  digest: Digest
  decision: Decision
  policy?: string
  policyRevision?: string
  evidenceRevision?: number
  judgedAt?: string
  validUntil?: string
  reasons: Reason[]
  alternatives: { reference: string; digest: Digest }[]
  children: ChildVerdict[]
  /** Of an image: what it was built on. */
  base?: BaseImage
}

export interface VerdictQuery {
  image: string
  platform?: string
  waitSeconds: number
  signal?: AbortSignal
}

export interface VerdictQueries {
  /** How an image stands. Errors: INPUT_INVALID, MANIFEST_UNKNOWN; the same for a repository that the caller may not pull. */
  verdict(principal: Principal, query: VerdictQuery): Promise<VerdictAnswer>
  /** The manifest that a reference names, and a platform's where it is an index. Errors as above. */
  find(principal: Principal, image: string, platform: string | undefined): Promise<HeldManifest & { repository: string }>
  /** Evidence of a manifest, undefined while it is being examined. */
  evidence(manifestId: number): Promise<Evidence | undefined>
}

export interface VerdictParts {
  records: Records
  manifests: Manifests
  waiters: VerdictWaiters
  bases: BaseQueries
  now: () => number
}

export function createVerdictQueries({ records, manifests, waiters, bases, now }: VerdictParts): VerdictQueries {
  async function find(principal: Principal, image: string, platform: string | undefined): Promise<HeldManifest & { repository: string }> {
    const reference = parseImageReference(image) ?? (await shortened(records, image))
    if (reference === undefined) throw new LazaretError('INPUT_INVALID', `${JSON.stringify(image.slice(0, 140))} is not NAME[:TAG|@DIGEST]`)
    if (!may(principal, 'pull', reference.repository)) throw unknownImage(image)
    const held = reference.digest === undefined && reference.tag === undefined ? undefined : await lookUp(reference)
    if (held === undefined) throw unknownImage(image)
    const named = { ...held, repository: reference.repository }
    return platform === undefined || held.kind !== 'index' ? named : platformOf(named, platform)
  }

  function lookUp(reference: ImageReference): Promise<HeldManifest | undefined> {
    return reference.digest === undefined
      ? manifests.byTag(reference.repository, reference.tag ?? 'latest')
      : manifests.byDigest(reference.repository, reference.digest)
  }

  async function platformOf(
    index: HeldManifest & { repository: string },
    platform: string,
  ): Promise<HeldManifest & { repository: string }> {
    const children = await childrenOf(records.read, index.repositoryId, index.id)
    const child =
      children.find((one) => one.platform === platform) ?? children.find((one) => one.platform?.startsWith(`${platform}/`) === true)
    const held = child === undefined ? undefined : await manifests.byDigest(index.repository, child.digest)
    if (held === undefined) throw new LazaretError('MANIFEST_UNKNOWN', `the index has no image for ${platform.slice(0, 60)}`)
    return { ...held, repository: index.repository }
  }

  async function standing(held: HeldManifest) {
    const verdict = await getVerdict(records, held.repositoryId, held.id)
    const expired = verdict?.validUntil !== undefined && Date.parse(verdict.validUntil) <= now()
    return verdict === undefined || expired || verdict.decision === 'pending' ? undefined : verdict
  }

  return {
    find,
    async verdict(principal, query) {
      const held = await find(principal, query.image, query.platform)
      const until = now() + query.waitSeconds * 1000
      const verdict = await waiters.waitFor(held.repositoryId, held.id, () => standing(held), until, query.signal)
      const passing = verdict?.decision === 'deny' ? await manifests.passingTags(held.repositoryId, 3, now()) : []
      const children = held.kind === 'index' ? await childrenOf(records.read, held.repositoryId, held.id) : []
      return {
        image: `${held.repository}@${held.digest}`,
        digest: held.digest,
        ...(verdict ?? { decision: 'pending', reasons: [] }),
        alternatives: passing.map(({ tag, digest }) => ({ reference: `${held.repository}:${tag}`, digest })),
        children: children.map(({ reasons: _, ...child }) => child),
        ...(held.kind === 'image' && { base: await bases.of(principal, held.id) }),
      }
    },
    async evidence(manifestId) {
      const row = await records.read.selectFrom('evidence').select('content').where('manifest_id', '=', manifestId).executeTakeFirst()
      return row === undefined ? undefined : decodeEvidence(row.content)
    },
  }
}

/** As a refusal prints it: the digest cut to twelve digits or more. Out: the one manifest of that repository that it fits. */
async function shortened(records: Records, image: string): Promise<ImageReference | undefined> {
  const [, repository = '', prefix = ''] = /^(.{1,255})@(sha(?:256|512):[0-9a-f]{12,127})$/.exec(image) ?? []
  if (!isRepositoryName(repository)) return undefined
  const fits = await records.read
    .selectFrom('manifests as m')
    .innerJoin('manifest_links as l', 'l.manifest_id', 'm.id')
    .innerJoin('repositories as r', 'r.id', 'l.repository_id')
    .select('m.digest')
    .where('r.name', '=', repository)
    .where('m.digest', '>=', prefix)
    .where('m.digest', '<', `${prefix}g`)
    .limit(2)
    .execute()
  const digest = fits.length === 1 ? parseDigest(fits[0]?.digest) : undefined
  return digest === undefined ? { repository } : { repository, digest }
}

function unknownImage(image: string): LazaretError {
  return new LazaretError('MANIFEST_UNKNOWN', `no image ${image.slice(0, 200)} that you may pull`)
}
