import type { AdvisoryReader, Finding } from '../model/advisory.ts'
import type { PackageVersion } from '../model/package.ts'
import { orderFor } from '../versions/compare.ts'
import { familyOf } from '../versions/ecosystem.ts'
import type { Compare } from '../versions/order.ts'
import { isPackagistBranch } from '../versions/packagist.ts'
import { fixesAbove } from './affected.ts'
import { type Cluster, clustersOf, isCve, publicIdOf } from './cluster.ts'
import { compareSeverities } from './cvss.ts'
import { type Hit, hitsOf, isAnyAffected } from './hit.ts'
import { compareIds } from './ids.ts'
import { severityOf } from './severity.ts'
import { wordOf } from './words.ts'

/**
 * In: a package version, and one revision of the advisories. Out: one finding for each flaw that it has or can't be
 * cleared of, the gravest first, then by id; the same whatever order the records come in.
 * Spec: ossf.github.io/osv-schema, "Evaluation".
 */
export function matchPackageVersion(subject: PackageVersion, advisories: AdvisoryReader): Finding[] {
  const order = orderOf(subject)
  const hits = hitsOf(subject, advisories, order)
  const findings = clustersOf(hits, subject.ecosystem).map((cluster) => findingOf(subject, cluster, advisories, order))
  return findings.sort((a, b) => compareSeverities(a.severity, b.severity) || compareIds(a.id, b.id))
}

/** Of an ecosystem whose order is not known here, and of a branch, nothing can be said. */
function orderOf({ ecosystem, version }: PackageVersion): Compare {
  const isBranch = familyOf(ecosystem) === 'Packagist' && isPackagistBranch(version)
  return (isBranch ? undefined : orderFor(ecosystem)) ?? noOrder
}

const noOrder: Compare = () => 'unknown'

function findingOf(subject: PackageVersion, cluster: Cluster, advisories: AdvisoryReader, order: Compare): Finding {
  const id = publicIdOf(cluster)
  const fixedVersion = smallestCure(subject.version, cluster.hits, order)
  const word = fixedVersion === undefined ? wordOf(cluster.hits) : undefined
  const epss = likeliest(cluster.ids, advisories)
  const caveat = caveats.get(subject.ecosystem)
  const published = cluster.hits.flatMap(({ advisory }) => advisory.published ?? []).sort()[0]
  return {
    id,
    ids: [id, ...cluster.ids.filter((other) => other !== id)],
    ecosystem: subject.ecosystem,
    packageName: subject.name,
    packageVersion: subject.version,
    ...severityOf(cluster, subject.ecosystem, advisories),
    ...(fixedVersion === undefined ? {} : { fixedVersion }),
    ...(word === undefined ? {} : { word }),
    knownExploited: cluster.ids.some((other) => isCve(other) && advisories.isKnownExploited(other)),
    ...(epss === undefined ? {} : { epss }),
    malicious: cluster.hits.some(({ advisory }) => advisory.malicious),
    ...(published === undefined ? {} : { published }),
    sources: sourcesOf(cluster.hits),
    state: cluster.hits.some(({ answer }) => answer === true) ? 'affected' : 'unknown-version',
    ...(caveat === undefined ? {} : { caveat }),
  }
}

/** Records of Go name packages and functions of a module, and a program does not tell which of them it calls. */
const caveats: ReadonlyMap<string, string> = new Map([
  ['Go', 'the module is linked in; whether the program calls what is flawed in it is not known'],
  ['Bitnami', 'by a record of Bitnami’s catalogue, which goes by the version of the program, whoever built it'],
])

function likeliest(ids: readonly string[], advisories: AdvisoryReader): Finding['epss'] {
  let highest: Finding['epss']
  for (const id of ids.filter(isCve)) {
    const found = advisories.exploitProbability(id)
    if (found !== undefined && (highest === undefined || found.probability > highest.probability)) highest = { id, ...found }
  }
  return highest
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
