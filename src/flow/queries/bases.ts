import { may, type Principal } from '../../model/access.ts'
import { claimedBase, declaresBase, type BaseClaim, type BaseImage, type BasePattern } from '../../model/base.ts'
import { parseDigest } from '../../model/digest.ts'
import type { Blobs } from '../../store/blobs/blobs.ts'
import { baseChainOf, chainState, holdersOfChain, lowestLayers, type ChainHolder } from '../../store/chains.ts'
import type { Records } from '../../store/records/records.ts'
import { describeConfig } from '../scan/config.ts'

/** What images were built on. */
export interface BaseQueries {
  /** Of an image by the id of its manifest. An image that the caller may not pull is not named, nor counted among others. */
  of(principal: Principal, manifestId: number): Promise<BaseImage>
  /** DiffIDs of the layers that its base has; undefined where that is unknown. */
  layersOf(manifestId: number): Promise<ReadonlySet<string> | undefined>
}

export interface BaseParts {
  records: Records
  blobs: Blobs
  /** What the operator calls a base: of several images with the same layers one of these is named. */
  declared: readonly BasePattern[]
}

const holdersAtOnce = 500
/** Of more images with the very same layers than these the rest is not looked at. */
const mostPages = 20
const mostNames = 10
/** A longer config is not asked for its labels. */
const mostConfigBytes = 1024 * 1024

/** A base, and how many of its own tags there are. */
interface Candidate extends ChainHolder {
  isDeclared: boolean
  isTagged: boolean
}

export function createBaseQueries({ records, blobs, declared }: BaseParts): BaseQueries {
  /** The first page of holders in which there is one that the caller may pull. */
  async function visibleHolders(principal: Principal, chain: Parameters<typeof holdersOfChain>[1]): Promise<ChainHolder[]> {
    let after = { manifestId: 0, repositoryId: 0 }
    for (let page = 0; page < mostPages; page++) {
      const holders = await holdersOfChain(records, chain, after, holdersAtOnce)
      const mine = holders.filter(({ repository }) => may(principal, 'pull', repository))
      if (mine.length > 0 || holders.length < holdersAtOnce) return mine
      after = holders.at(-1) ?? after
    }
    return []
  }

  async function candidatesOf(holders: readonly ChainHolder[]): Promise<Candidate[]> {
    const wanted = new Set(declared.flatMap(({ tag }) => tag ?? []))
    const rows = await records.read
      .selectFrom('tags')
      .select(['repository_id', 'manifest_id'])
      .select((of) => of.fn.min('name').as('first'))
      .where('manifest_id', 'in', [...new Set(holders.map(({ manifestId }) => manifestId))])
      .groupBy(['repository_id', 'manifest_id'])
      .execute()
    const tagged = new Set(rows.map((row) => `${row.repository_id} ${row.manifest_id}`))
    const declaredTags = wanted.size === 0 ? new Map<string, string[]>() : await tagsNamed([...wanted], holders)
    return holders.map((holder) => {
      const tags = declaredTags.get(keyOf(holder)) ?? []
      const isDeclared = declared.some((one) => declaresBase(one, { ...holder, tags }))
      return { ...holder, isDeclared, isTagged: tagged.has(keyOf(holder)) }
    })
  }

  async function tagsNamed(names: string[], holders: readonly ChainHolder[]): Promise<Map<string, string[]>> {
    const rows = await records.read
      .selectFrom('tags')
      .select(['repository_id', 'manifest_id', 'name'])
      .where('manifest_id', 'in', [...new Set(holders.map(({ manifestId }) => manifestId))])
      .where('name', 'in', names)
      .execute()
    const found = new Map<string, string[]>()
    for (const { repository_id, manifest_id, name } of rows) {
      const key = `${repository_id} ${manifest_id}`
      found.set(key, [...(found.get(key) ?? []), name])
    }
    return found
  }

  async function namesOf(chosen: ChainHolder, holders: readonly ChainHolder[]): Promise<string[]> {
    const same = holders.filter(({ manifestId }) => manifestId === chosen.manifestId)
    const rows = await records.read
      .selectFrom('tags')
      .innerJoin('repositories', 'repositories.id', 'tags.repository_id')
      .select(['repositories.name as repository', 'tags.name as tag'])
      .where('tags.manifest_id', '=', chosen.manifestId)
      .where(
        'tags.repository_id',
        'in',
        same.map(({ repositoryId }) => repositoryId),
      )
      .orderBy('repositories.name')
      .orderBy('tags.name')
      .limit(mostNames)
      .execute()
    return rows.length > 0 ? rows.map(({ repository, tag }) => `${repository}:${tag}`) : [`${chosen.repository}@${chosen.digest}`]
  }

  async function claimOf(manifestId: number): Promise<BaseClaim | undefined> {
    const row = await records.read
      .selectFrom('manifests')
      .select(['annotations', 'config_digest'])
      .where('id', '=', manifestId)
      .executeTakeFirst()
    if (row === undefined) return undefined
    return claimedBase(JSON.parse(row.annotations) as Record<string, string>, await labelsOf(row.config_digest))
  }

  async function labelsOf(configDigest: string | null): Promise<Record<string, string>> {
    const digest = parseDigest(configDigest ?? undefined)
    const config = digest === undefined ? undefined : await blobs.findAnywhere(digest)
    if (config === undefined || config.damagedAt !== null || config.sizeBytes > mostConfigBytes) return {}
    return describeConfig(Buffer.concat((await (await blobs.read(config)).toArray()) as Buffer[])).labels ?? {}
  }

  return {
    async of(principal, manifestId) {
      const claim = await claimOf(manifestId)
      const claimed = claim === undefined ? {} : { claim }
      const base = await baseChainOf(records, manifestId)
      if (base === undefined) return { known: 'unknown', why: whyUnknown(await chainState(records, manifestId)), ...claimed }
      const holders = await visibleHolders(principal, base.chain)
      const candidates = holders.length === 0 ? [] : await candidatesOf(holders)
      const chosen = candidates.toSorted(byStanding)[0]
      if (chosen === undefined) return { known: 'hidden', layers: base.depth, ...claimed }
      const others = new Set(holders.map(({ manifestId: id }) => id)).size - 1
      return {
        known: chosen.isDeclared ? 'declared' : 'image',
        layers: base.depth,
        digest: chosen.digest,
        names: await namesOf(chosen, holders),
        ...(others > 0 && { others }),
        ...claimed,
      }
    },
    async layersOf(manifestId) {
      const base = await baseChainOf(records, manifestId)
      return base === undefined ? undefined : new Set(await lowestLayers(records, manifestId, base.depth))
    },
  }
}

function keyOf({ repositoryId, manifestId }: ChainHolder): string {
  return `${repositoryId} ${manifestId}`
}

/** What was declared, then what has a tag, then what was here first. */
function byStanding(a: Candidate, b: Candidate): number {
  return Number(b.isDeclared) - Number(a.isDeclared) || Number(b.isTagged) - Number(a.isTagged) || a.manifestId - b.manifestId
}

function whyUnknown({ depth, whole }: { depth: number; whole: boolean }): string {
  if (whole) return 'no other image here is all of its lowest layers'
  if (depth === 0) return 'its layers have not been read, or the lowest can not be'
  return `only its lowest ${depth === 1 ? 'layer' : `${depth} layers`} could be read, and no other image here is all of those`
}
