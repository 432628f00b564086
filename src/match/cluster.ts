import type { Hit } from './hit.ts'
import { isDistribution } from '../versions/ecosystem.ts'

/** Records that speak of one flaw, with all its names. */
export interface Cluster {
  /** Sorted. */
  ids: string[]
  hits: Hit[]
}

/** One flaw that one record speaks of. */
interface Flaw {
  /** Names of this flaw and no other: what joins it to others. */
  keys: string[]
  /** Names to show besides. */
  labels: string[]
  hit: Hit
}

/**
 * In: the records that hit a package version. Out: one cluster for each flaw: records that share an id, an alias or an
 * upstream id are about the same one, also over a third. A distribution's advisory that lists several CVEs (DSA-1-1)
 * is as many flaws, and joins none of them to another.
 */
export function clustersOf(hits: readonly Hit[], ecosystem: string): Cluster[] {
  const flaws = hits.flatMap((hit) => flawsOf(hit, ecosystem))
  const groups = new Groups(flaws.length)
  const holders = new Map<string, number>()
  for (const [index, flaw] of flaws.entries()) {
    for (const key of flaw.keys) {
      const holder = holders.get(key)
      if (holder === undefined) holders.set(key, index)
      else groups.join(holder, index)
    }
  }
  return groups.all().map((members) => clusterOf(members.map((index) => flaws[index]!)))
}

export function isCve(id: string): boolean {
  return id.startsWith('CVE-')
}

/** The id that people know: the CVE, else the GHSA, else a record's own; the first by text of several. */
export function publicIdOf({ ids, hits }: Cluster): string {
  const own = hits.map(({ advisory }) => advisory.id).sort()
  return ids.find(isCve) ?? ids.find((id) => id.startsWith('GHSA-')) ?? own[0] ?? ''
}

/** Whether the record is a distribution's own, not a CVE's or GitHub's that speaks of its packages. */
export function isDistributionRecord(id: string, ecosystem: string): boolean {
  return isDistribution(ecosystem) && !isCve(id) && !id.startsWith('GHSA-')
}

function flawsOf(hit: Hit, ecosystem: string): Flaw[] {
  const { id, aliases, upstream } = hit.advisory
  const cves = [...new Set([...aliases, ...upstream].filter(isCve))]
  if (cves.length > 1 && isDistributionRecord(id, ecosystem)) return cves.map((cve) => ({ keys: [cve], labels: [id], hit }))
  return [{ keys: [id, ...aliases, ...upstream], labels: [], hit }]
}

function clusterOf(flaws: readonly Flaw[]): Cluster {
  const ids = new Set(flaws.flatMap(({ keys, labels }) => [...keys, ...labels]))
  return { ids: [...ids].sort(), hits: [...new Set(flaws.map(({ hit }) => hit))] }
}

/** Union-find with path halving, over the numbers below a size. */
class Groups {
  readonly #parents: number[]

  constructor(size: number) {
    this.#parents = Array.from({ length: size }, (_, index) => index)
  }

  join(a: number, b: number): void {
    this.#parents[this.#rootOf(a)] = this.#rootOf(b)
  }

  all(): number[][] {
    const members = new Map<number, number[]>()
    for (const index of this.#parents.keys()) {
      const root = this.#rootOf(index)
      const group = members.get(root)
      if (group === undefined) members.set(root, [index])
      else group.push(index)
    }
    return [...members.values()]
  }

  #rootOf(index: number): number {
    let at = index
    while (this.#parents[at] !== at) {
      const above = this.#parents[this.#parents[at]!]!
      this.#parents[at] = above
      at = above
    }
    return at
  }
}
