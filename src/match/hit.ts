import type { Advisory, AdvisoryReader, AffectedPackage } from '../model/advisory.ts'
import type { PackageVersion } from '../model/package.ts'
import type { Compare } from '../versions/order.ts'
import { type Affected, anyOf, isAffected } from './affected.ts'
import { normalName, speaksOf } from '../versions/ecosystem.ts'

/** A record that says, or may say, that a package version is affected. */
export interface Hit {
  advisory: Advisory
  /** Its entries for this very package, in this ecosystem. */
  packages: AffectedPackage[]
  answer: true | 'unknown'
}

/** In: a package version and its ecosystem's order. Out: the records that it can't be cleared of; withdrawn ones are none. */
export function hitsOf(subject: PackageVersion, advisories: AdvisoryReader, order: Compare): Hit[] {
  const hits: Hit[] = []
  for (const advisory of advisories.about(subject.ecosystem, subject.name)) {
    if (advisory.withdrawn !== undefined) continue
    const packages = advisory.affected.filter((entry) => isAbout(entry, subject))
    const answer = isAnyAffected(subject.version, packages, order)
    if (answer !== false) hits.push({ advisory, packages, answer })
  }
  return hits
}

/** Whether a version is affected by any of a record's entries for its package. */
export function isAnyAffected(version: string, packages: readonly AffectedPackage[], order: Compare): Affected {
  return anyOf(packages.map((entry) => isAffected(version, entry, order)))
}

function isAbout(entry: AffectedPackage, { ecosystem, name }: PackageVersion): boolean {
  return speaksOf(entry.ecosystem, ecosystem) && normalName(ecosystem, entry.name) === normalName(ecosystem, name)
}
