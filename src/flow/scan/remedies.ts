import { severities, type Severity } from '../../model/advisory.ts'
import type { BaseImage } from '../../model/base.ts'
import type { OsRelease } from '../../model/layer.ts'
import { orderFor } from '../../versions/compare.ts'
import { compareTexts, type Place, type PlacedFinding } from './places.ts'
import { isShellSafe, managerOf } from './managers.ts'

export interface PackageChange {
  name: string
  from: string
  /** The smallest version that cures all that is known of it; absent where a base image brings it. */
  to?: string
}

/** One thing to do, and how much is gone when it is done. */
export interface Remedy {
  /** In words: `apt-get upgrade of 3 packages`. */
  what: string
  /** A newer base image, for what it brings; another way than an upgrade of the same packages. */
  isBase?: true
  /** To be typed, where one command does it. */
  command?: string
  packages: PackageChange[]
  /** Findings that it fixes, and how many of them are of each severity. */
  fixes: number
  bySeverity: Partial<Record<Severity, number>>
  /** Of these, those that no remedy before it in the list fixes. */
  fixesMore: number
}

/** Findings that one change fixes, and the change. */
interface Unit {
  isBase?: true
  what: (packages: PackageChange[]) => string
  command: (packages: PackageChange[]) => string | undefined
  changes: Map<string, PackageChange>
  findings: Set<PlacedFinding>
}

interface Fixable {
  finding: PlacedFinding
  place: Place
  to: string
}

/**
 * How to fix the most with the fewest changes: first the change that fixes the most, then the one that fixes the most of what is
 * left. In: findings with their places, the release, how many layers there are, and the base where it is known. Out: remedies in
 * that order; what has no fix is in none of them.
 */
export function remediesFor(
  findings: readonly PlacedFinding[],
  release: OsRelease | undefined,
  layers: number,
  base?: BaseImage,
): Remedy[] {
  const fixable = findings.flatMap((finding) =>
    finding.fixedVersion === undefined ? [] : finding.places.map((place) => ({ finding, place, to: finding.fixedVersion ?? '' })),
  )
  const units = new Map<string, Unit>()
  for (const one of fixable) addTo(units, one)
  const rebuild = base?.layers === undefined ? rebuildOf(fixable, release, layers) : newerBase(fixable, base.layers, base.names?.[0])
  return inOrder([...units.values(), ...(rebuild === undefined ? [] : [rebuild])])
}

function addTo(units: Map<string, Unit>, { finding, place, to }: Fixable): void {
  const manager = managerOf(place)
  const unit: Unit = units.get(manager.unit) ?? { what: manager.what, command: manager.command, changes: new Map(), findings: new Set() }
  units.set(manager.unit, unit)
  unit.findings.add(finding)
  const key = `${place.name}\n${place.version}`
  const known = unit.changes.get(key)?.to
  unit.changes.set(key, { name: place.name, from: place.version, to: known === undefined ? to : later(finding.ecosystem, known, to) })
}

/** Versions of two that can't be compared: the one that is known first stays. */
function later(ecosystem: string, a: string, b: string): string {
  return orderFor(ecosystem)?.(a, b) === -1 ? b : a
}

/** What the lowest layer brought of the distribution goes with a newer base, where the image has more than that layer. */
function rebuildOf(fixable: readonly Fixable[], release: OsRelease | undefined, layers: number): Unit | undefined {
  const name = release === undefined ? undefined : baseName(release)
  const inBase = fixable.filter(({ place }) => place.layer === 1 && managerOf(place).isDistribution)
  if (name === undefined || layers < 2 || inBase.length === 0) return undefined
  return baseUnit(inBase, `rebuild on a newer ${name} (layer 1)`)
}

/** Where the base is known, all that it brought goes with a newer one; what is in a layer above as well stays. */
function newerBase(fixable: readonly Fixable[], layers: number, name = 'base'): Unit | undefined {
  const isIn = ({ layer }: Place) => layer !== undefined && layer <= layers
  const inBase = fixable.filter(({ finding }) => finding.places.every(isIn))
  return inBase.length === 0 ? undefined : baseUnit(inBase, `build on a newer ${name} (layer${layers === 1 ? '' : 's 1 to'} ${layers})`)
}

function baseUnit(inBase: readonly Fixable[], what: string): Unit {
  const changes = new Map(inBase.map(({ place }) => [`${place.name}\n${place.version}`, { name: place.name, from: place.version }]))
  return {
    isBase: true,
    what: () => what,
    command: () => undefined,
    changes,
    findings: new Set(inBase.map(({ finding }) => finding)),
  }
}

function baseName({ id, versionId = '' }: OsRelease): string | undefined {
  if (!/^[a-z0-9][a-z0-9._-]{0,40}$/.test(id) || !/^[\w.+-]{0,40}$/.test(versionId)) return undefined
  const version = id === 'alpine' ? versionId.split('.').slice(0, 2).join('.') : versionId
  return version === '' ? id : `${id}:${version}`
}

/** Of more changes than anyone reads, the rest follows in the order of what each fixes by itself. */
const mostWeighed = 100

function inOrder(units: Unit[]): Remedy[] {
  const bySize = units.toSorted((a, b) => b.findings.size - a.findings.size)
  const remedies: Remedy[] = []
  const fixed = new Set<PlacedFinding>()
  const take = (unit: Unit) => {
    remedies.push(remedyOf(unit, unit.findings.difference(fixed).size))
    for (const finding of unit.findings) fixed.add(finding)
  }
  const left = new Set(bySize.slice(0, mostWeighed))
  while (left.size > 0) {
    const best = [...left].reduce((a, b) => (isBetter(b, a, fixed) ? b : a))
    left.delete(best)
    take(best)
  }
  for (const unit of bySize.slice(mostWeighed)) take(unit)
  return remedies
}

function isBetter(a: Unit, b: Unit, fixed: ReadonlySet<PlacedFinding>): boolean {
  const by = (unit: Unit) => unit.findings.difference(fixed)
  const [ofA, ofB] = [by(a), by(b)]
  return ofA.size > ofB.size || (ofA.size === ofB.size && weight(ofA) > weight(ofB))
}

function weight(findings: ReadonlySet<PlacedFinding>): number {
  return [...findings].reduce((sum, { severity }) => sum + 10 ** severities.indexOf(severity), 0)
}

function remedyOf(unit: Unit, fixesMore: number): Remedy {
  const packages = [...unit.changes.values()].toSorted((a, b) => compareTexts(a.name, b.name) || compareTexts(a.from, b.from))
  const command = packages.every(isShellSafe) ? unit.command(packages) : undefined
  const bySeverity: Remedy['bySeverity'] = {}
  for (const { severity } of unit.findings) bySeverity[severity] = (bySeverity[severity] ?? 0) + 1
  return {
    what: unit.what(packages),
    ...(unit.isBase === true && { isBase: true as const }),
    ...(command !== undefined && { command }),
    packages,
    fixes: unit.findings.size,
    bySeverity,
    fixesMore,
  }
}
