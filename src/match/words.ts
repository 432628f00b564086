// What a distribution says of a flaw besides versions: kept with the finding, or as a clearance where it says "not affected".
import { type AdvisoryReader, type Clearance, type DistributionWord, distributionWords, type Finding } from '../model/advisory.ts'
import type { PackageVersion } from '../model/package.ts'
import { clustersOf, publicIdOf } from './cluster.ts'
import { entriesFor, type Hit } from './hit.ts'
import { compareIds } from './ids.ts'

/** In: the records of one flaw that affect a package. Out: the gravest word among them. */
export function wordOf(hits: readonly Hit[]): DistributionWord | undefined {
  const said = new Set(hits.flatMap(({ packages }) => packages.flatMap(({ word }) => word ?? [])))
  return distributionWords.find((word) => word !== 'not-affected' && said.has(word))
}

/**
 * In: a package version, what was found in it, and the advisories. Out: the flaws that its distribution says it does not
 * have, by id; one that another record finds in it all the same stays a finding, and is not among them.
 */
export function clearancesOf(subject: PackageVersion, findings: readonly Finding[], advisories: AdvisoryReader): Clearance[] {
  const cleared = advisories.about(subject.ecosystem, subject.name).flatMap((advisory): Hit[] => {
    const packages = entriesFor(advisory, subject)
    const isCleared = packages.length > 0 && packages.every(({ word }) => word === 'not-affected')
    return isCleared && advisory.withdrawn === undefined ? [{ advisory, packages, answer: true }] : []
  })
  const found = new Set(findings.flatMap(({ ids }) => ids))
  return clustersOf(cleared, subject.ecosystem)
    .filter(({ ids }) => !ids.some((id) => found.has(id)))
    .map((cluster): Clearance => {
      const id = publicIdOf(cluster)
      return {
        id,
        ids: [id, ...cluster.ids.filter((other) => other !== id)],
        ecosystem: subject.ecosystem,
        packageName: subject.name,
        packageVersion: subject.version,
        word: 'not-affected',
        sources: cluster.hits.map(({ advisory }) => ({ id: advisory.id, source: advisory.source })).sort((a, b) => compareIds(a.id, b.id)),
      }
    })
    .sort((a, b) => compareIds(a.id, b.id))
}
