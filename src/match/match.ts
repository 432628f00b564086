import type { AdvisoryReader, Finding, SeverityClaim } from '../model/advisory.ts'
import type { PackageVersion } from '../model/package.ts'
import { orderFor } from '../versions/compare.ts'
import type { Compare } from '../versions/order.ts'
import { fixesAbove } from './affected.ts'
import { type Cluster, clustersOf, isCve, isDistributionRecord, publicIdOf } from './cluster.ts'
import { compareSeverities, firstScore, type Score } from './cvss.ts'
import { type Hit, hitsOf, isAnyAffected } from './hit.ts'

/**
 * In: a package version, and one revision of the advisories. Out: one finding for each flaw that it has or can't be
 * cleared of, the gravest first, then by id; the same whatever order the records come in.
 * Spec: ossf.github.io/osv-schema, "Evaluation".
 */
export function matchPackageVersion(subject: PackageVersion, advisories: AdvisoryReader): Finding[] {
  const order = orderFor(subject.ecosystem) ?? noOrder
  const hits = hitsOf(subject, advisories, order)
  const findings = clustersOf(hits, subject.ecosystem).map((cluster) => findingOf(subject, cluster, advisories, order))
  return findings.sort((a, b) => compareSeverities(a.severity, b.severity) || compareIds(a.id, b.id))
}

/** Of an ecosystem whose order is not known here: nothing can be said of any version. */
const noOrder: Compare = () => 'unknown'

function findingOf(subject: PackageVersion, cluster: Cluster, advisories: AdvisoryReader, order: Compare): Finding {
  const id = publicIdOf(cluster)
  const fixedVersion = smallestCure(subject.version, cluster.hits, order)
  const published = cluster.hits.flatMap(({ advisory }) => advisory.published ?? []).sort()[0]
  return {
    id,
    ids: [id, ...cluster.ids.filter((other) => other !== id)],
    ecosystem: subject.ecosystem,
    packageName: subject.name,
    packageVersion: subject.version,
    ...severityOf(cluster, subject.ecosystem, advisories),
    ...(fixedVersion === undefined ? {} : { fixedVersion }),
    knownExploited: cluster.ids.some((other) => isCve(other) && advisories.isKnownExploited(other)),
    malicious: cluster.hits.some(({ advisory }) => advisory.malicious),
    ...(published === undefined ? {} : { published }),
    sources: sourcesOf(cluster.hits),
    state: cluster.hits.some(({ answer }) => answer === true) ? 'affected' : 'unknown-version',
  }
}

/** The distribution's word for its package, else what the records say, else what is said of the CVE. */
function severityOf({ ids, hits }: Cluster, ecosystem: string, advisories: AdvisoryReader): Score {
  const own = hits.flatMap((hit) => ownWords(hit, ecosystem))
  const recorded = hits.flatMap(({ advisory }) => advisory.severity)
  return firstScore([own, recorded, advisories.severityOf(ids)])
}

/** What a record says of this package by itself; a word that stands over a distribution's record is the distribution's too. */
function ownWords({ advisory, packages }: Hit, ecosystem: string): SeverityClaim[] {
  const words = packages.flatMap(({ severity }) => severity ?? [])
  if (words.length > 0 || !isDistributionRecord(advisory.id, ecosystem)) return words
  return advisory.severity.filter(({ type }) => type === 'label')
}

/** Fixes that are tried one by one; with more, the highest is tried instead of the rest. A kernel flaw has a dozen. */
const maxCandidates = 64

/** The lowest fixed version above the installed one that no record of the flaw calls affected. */
function smallestCure(version: string, hits: readonly Hit[], order: Compare): string | undefined {
  const fixes = fixesAbove(
    version,
    hits.flatMap(({ packages }) => packages),
    order,
  )
  const candidates = fixes.length > maxCandidates ? [...fixes.slice(0, maxCandidates - 1), ...fixes.slice(-1)] : fixes
  return candidates.find((fix) => hits.every(({ packages }) => isAnyAffected(fix, packages, order) === false))
}

function sourcesOf(hits: readonly Hit[]): Finding['sources'] {
  const sources = new Map(hits.map(({ advisory: { id, source } }) => [`${id} ${source}`, { id, source }]))
  return [...sources.values()].sort((a, b) => compareIds(a.id, b.id) || compareIds(a.source, b.source))
}

/** By character code, so that it is the same everywhere. */
function compareIds(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1
}
