import type { Advisory, AdvisoryReader, AffectedPackage } from '../model/advisory.ts'
import type { PackageVersion } from '../model/package.ts'
import type { Compare } from '../versions/order.ts'
import { type Affected, anyOf, isAffected } from './affected.ts'
import { isDistribution, normalName, speaksOf } from '../versions/ecosystem.ts'
import { isModular } from '../versions/modules.ts'

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
    const packages = entriesFor(advisory, subject)
    const answer = isAnyAffected(subject.version, packages, order)
    if (answer !== false) hits.push({ advisory, packages, answer })
  }
  return hits
}

/** In: a record. Out: its entries for a package. */
export function entriesFor(advisory: Advisory, subject: PackageVersion): AffectedPackage[] {
  return advisory.affected.filter((entry) => isAbout(entry, subject))
}

/** Whether a version is affected by any of a record's entries for its package. */
export function isAnyAffected(version: string, packages: readonly AffectedPackage[], order: Compare): Affected {
  return anyOf(packages.map((entry) => isAffected(version, entry, order)))
}

function isAbout(entry: AffectedPackage, subject: PackageVersion): boolean {
  const { ecosystem, name } = subject
  return (
    speaksOf(entry.ecosystem, ecosystem) && normalName(ecosystem, entry.name) === normalName(ecosystem, name) && isOfModule(entry, subject)
  )
}

/**
 * A record of a module stream speaks of the packages of that stream, and any other of those of none. Where either does not
 * name its stream, they may be the same.
 */
function isOfModule(entry: AffectedPackage, { ecosystem, module, version }: PackageVersion): boolean {
  if (!isDistribution(ecosystem)) return true
  const fixes = entry.ranges.flatMap(({ events }) => events.flatMap((event) => ('fixed' in event ? [event.fixed] : [])))
  const modules = entry.modules ?? (fixes.some(isModular) ? [] : undefined)
  const isOfNone = module === undefined && !isModular(version)
  if (modules === undefined) return isOfNone || fixes.length === 0
  return !isOfNone && (modules.length === 0 || module === undefined || modules.includes(module))
}
