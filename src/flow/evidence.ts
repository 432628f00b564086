import type { OpenAdvisories } from '../advisories/database.ts'
import { matchPackageVersion } from '../match/match.ts'
import { clearancesOf } from '../match/words.ts'
import { ecosystemOf } from '../match/releases.ts'
import { distributionKinds, subjectOf } from '../match/subjects.ts'
import type { Clearance, Finding } from '../model/advisory.ts'
import type { Digest } from '../model/digest.ts'
import type { ImageInventory } from '../model/inventory.ts'
import type { LayerFacts, Unsupported } from '../model/layer.ts'
import type { ManifestKind } from '../model/manifest.ts'
import type { ImagePackage, PackageKind, PackageVersion } from '../model/package.ts'
import type { DoubtNote, Evidence } from '../model/verdict.ts'
import { isDistribution } from '../versions/ecosystem.ts'
import { unknownComponents, withKnownArtifacts } from './known-artifacts.ts'

/** A blob as it turned out. `unreadable` is no archive; of one that is `unexamined` nothing is known. */
export type LayerOutcome = { state: 'layer'; facts: LayerFacts } | NoLayer

/** The same where what the layers hold stands in an inventory already. */
export type LayerState = { state: 'layer' } | NoLayer

type NoLayer = { state: 'json' } | { state: 'unreadable' | 'unexamined'; problem: string }

export interface EvidenceInput {
  digest: Digest
  kind: ManifestKind
  /** Its bytes are handed out too: they must be what a config is, or are judged like a layer's. */
  config?: LayerState
  /** In the order of the manifest. */
  layers: LayerState[]
  /** What its layers hold, laid over each other. */
  inventory: ImageInventory
  advisories: OpenAdvisories
  now: Date
}

/** One subject a package, in the order of `evidence.packages`; null where advisories do not judge it by itself. */
export interface Assembled {
  evidence: Evidence
  subjects: (PackageVersion | null)[]
}

/**
 * From an inventory to evidence: matched, and every doubt named. An image with a layer that can't be read is `unreadable`; an
 * artifact holds files of any kind, and is judged by the archives among them; neither is judged by what nobody could look into.
 */
export function evidenceOf(input: EvidenceInput): Assembled {
  const inventory = bounded(withKnownArtifacts(input.inventory, input.advisories))
  const ecosystem = inventory.release === undefined ? undefined : ecosystemOf(inventory.release)
  const subjects = inventory.packages.map((pkg) => subjectOf(pkg, ecosystem) ?? null)
  const { findings, cleared } = matchAll(subjects, input.advisories)
  const evidence: Evidence = {
    digest: input.digest,
    kind: input.kind,
    ...(inventory.release === undefined ? {} : { release: inventory.release }),
    ...(ecosystem === undefined ? {} : { ecosystem }),
    packages: inventory.packages,
    findings,
    ...(cleared.length === 0 ? {} : { cleared }),
    doubts: doubtsOf(input, inventory, subjects, findings),
    ...(input.layers.length > 0 && input.layers.every((layer) => layer.state === 'json') ? { allJson: true } : {}),
    advisoryRevision: input.advisories.revision,
    advisoryDate: oldestDate(
      subjects.filter((subject) => subject !== null),
      input.advisories,
    ),
    examinedAt: input.now.toISOString(),
  }
  return { evidence, subjects }
}

/** The largest images seen hold some twenty thousand. Each is a row, and is written while others wait. */
export const mostPackages = 100_000

function bounded(inventory: ImageInventory): ImageInventory {
  const { length } = inventory.packages
  if (length <= mostPackages) return inventory
  const problem = `it holds ${length} packages, more than the ${mostPackages} that are judged`
  return { ...inventory, packages: inventory.packages.slice(0, mostPackages), problems: [problem, ...inventory.problems] }
}

/** Each package version once, however many packages are of it. */
function matchAll(subjects: (PackageVersion | null)[], advisories: OpenAdvisories): { findings: Finding[]; cleared: Clearance[] } {
  const findings: Finding[] = []
  const cleared: Clearance[] = []
  for (const subject of distinctSubjects(subjects).values()) {
    const found = matchPackageVersion(subject, advisories)
    findings.push(...found)
    cleared.push(...clearancesOf(subject, found, advisories))
  }
  return { findings, cleared }
}

export function subjectKey({ ecosystem, name, version }: PackageVersion): string {
  return `${ecosystem}\n${name}\n${version}`
}

/** Out: by their keys, in the order of the packages. */
export function distinctSubjects(subjects: readonly (PackageVersion | null)[]): Map<string, PackageVersion> {
  return new Map(subjects.flatMap((subject) => (subject === null ? [] : [[subjectKey(subject), subject] as const])))
}

function doubtsOf(input: EvidenceInput, inventory: ImageInventory, subjects: (PackageVersion | null)[], findings: Finding[]): DoubtNote[] {
  const image = input.kind === 'image'
  return [
    ...(image ? [...unreadableConfig(input.config), ...unreadableLayers(input.layers)] : unexaminedParts(judgedParts(input))),
    ...inventory.problems.map((detail): DoubtNote => ({ doubt: 'unreadable', detail })),
    ...unsupportedParts(inventory.unsupported.filter(({ name }) => name === undefined)),
    ...unknownComponents(inventory.unsupported.filter(({ name }) => name !== undefined)),
    ...unjudged(inventory, subjects, input.advisories),
    ...unjudgedPrograms(inventory, subjects, input.advisories),
    ...foreign(inventory.packages),
    ...unknownVersions(findings),
    ...(image && inventory.packages.length === 0 ? [{ doubt: 'no-packages' as const, detail: 'no package was found in it' }] : []),
  ]
}

export function unknownVersions(findings: readonly Finding[]): DoubtNote[] {
  return findings
    .filter(({ state }) => state === 'unknown-version')
    .map(({ packageName, packageVersion, id }) => ({ doubt: 'unknown-version', detail: `${packageName} ${packageVersion} (${id})` }))
}

/** A note a kind. A distribution's database that can't be read leaves all open; a program that stands for itself leaves itself. */
function unsupportedParts(parts: Unsupported[]): DoubtNote[] {
  const byKind = Map.groupBy(parts, (part) => part.kind)
  return [...byKind].map(([kind, some]) => {
    const where = `/${some[0]?.path ?? ''}${some.length > 1 ? ` and ${some.length - 1} more` : ''}`
    return some.every((part) => part.component === true)
      ? { doubt: 'unsupported-component', detail: `${kind} packages (${where})` }
      : { doubt: 'unsupported', detail: `its ${kind} packages (${where}) can't be read by this version` }
  })
}

/** Whatever an artifact's config is called, it may be an archive. */
export function judgedParts<T extends LayerState>({ kind, config, layers }: { kind: ManifestKind; config?: T; layers: T[] }): T[] {
  return kind === 'image' || config === undefined ? layers : [config, ...layers]
}

function unreadableConfig(config: LayerState | undefined): DoubtNote[] {
  if (config === undefined || config.state === 'json') return []
  const problem = config.state === 'layer' ? 'it is an archive' : config.state === 'unreadable' ? 'it is no JSON' : config.problem
  return [{ doubt: 'unreadable', detail: `its config: ${problem}` }]
}

function unexaminedParts(parts: LayerState[]): DoubtNote[] {
  return parts.flatMap((part): DoubtNote[] => (part.state === 'unexamined' ? [{ doubt: 'unreadable', detail: part.problem }] : []))
}

function unreadableLayers(layers: LayerState[]): DoubtNote[] {
  return layers.flatMap((layer, at): DoubtNote[] => {
    if (layer.state === 'layer') return []
    const problem = layer.state === 'json' ? 'it is JSON, not an archive' : layer.problem
    return [{ doubt: 'unreadable', detail: `layer ${at + 1} of ${layers.length}: ${problem}` }]
  })
}

/**
 * Packages that nothing here judges: of a distribution that is unknown, or whose advisories are not in the database, which
 * leaves the image open; or of a language whose advisories are not there, each of which stands for itself.
 */
function unjudged(inventory: ImageInventory, subjects: (PackageVersion | null)[], advisories: OpenAdvisories): DoubtNote[] {
  const details = new Set<string>()
  /** One note an ecosystem, with the first place of it. */
  const languages = new Map<string, string>()
  inventory.packages.forEach((pkg, at) => {
    const subject = subjects[at] ?? null
    if (subject !== null && subject.ecosystem !== programEcosystem && !advisories.covers(subject.ecosystem)) {
      if (isDistribution(subject.ecosystem)) details.add(`there are no advisories for ${subject.ecosystem} here`)
      else if (!languages.has(subject.ecosystem))
        languages.set(
          subject.ecosystem,
          `packages of ${subject.ecosystem} (/${pkg.location} and others), of which no list of advisories is here`,
        )
    }
    const world = pkg.ownedBy === undefined ? unlisted[pkg.kind] : undefined
    if (world !== undefined && !languages.has(world))
      languages.set(world, `${world} (/${pkg.location} and others), of which no list of advisories is here`)
    if (pkg.kind === 'hex' && pkg.ownedBy === undefined && pkg.location.endsWith('.app'))
      languages.set('taken for Hex', `applications (/${pkg.location} and others) that are taken for packages of Hex by their names alone`)
    if (subject === null && distributionKinds.has(pkg.kind) && pkg.foreign !== true)
      details.add(`its ${pkg.kind} packages are of ${distributionName(inventory)}`)
  })
  return [
    ...[...details].map((detail): DoubtNote => ({ doubt: 'unsupported', detail })),
    ...[...languages.values()].map((detail): DoubtNote => ({ doubt: 'unsupported-component', detail })),
  ]
}

/** Kinds of which no records are known to exist in a form that is read here. */
const unlisted: Partial<Record<PackageKind, string>> = {
  conda: 'packages of conda',
  luarocks: 'packages of LuaRocks',
  otp: 'applications of Erlang/OTP and Elixir',
  wordpress: 'plug-ins and themes of WordPress',
}

/** Its records judge programs that no package brought: where they are lacking, those programs stand open, not the image. */
const programEcosystem = 'Bitnami'

/** Programs, and crates from elsewhere than the registry, that no records here speak of: each by name and version. */
function unjudgedPrograms({ packages }: ImageInventory, subjects: (PackageVersion | null)[], advisories: OpenAdvisories): DoubtNote[] {
  const isCovered = advisories.covers(programEcosystem)
  const names = new Set<string>()
  packages.forEach((pkg, at) => {
    const ofPrograms = pkg.kind === 'program' || pkg.kind === 'bitnami'
    const isJudged = subjects[at] !== null && (!ofPrograms || isCovered)
    if (isJudged || pkg.ownedBy !== undefined || !(ofPrograms || isForeignCrate(pkg))) return
    names.add(`${pkg.name} ${pkg.version} (/${pkg.location}), of which no advisories here speak`)
  })
  return [...names].map((detail) => ({ doubt: 'unsupported-component', detail }))
}

/** What is built here (`local`) is the image's own program. */
function isForeignCrate({ kind, qualifiers }: ImageInventory['packages'][number]): boolean {
  return kind === 'cargo' && qualifiers?.['source'] !== undefined && qualifiers['source'] !== 'local'
}

/** What another than the distribution built stands for itself: no advisories here are about it. */
function foreign(packages: ImagePackage[]): DoubtNote[] {
  const byVendor = Map.groupBy(
    packages.filter((pkg) => pkg.foreign === true),
    (pkg) => pkg.vendor ?? pkg.maintainer ?? 'another',
  )
  return [...byVendor].map(([vendor, some]) => {
    const others = some.length > 1 ? ` and ${some.length - 1} more` : ''
    const detail = `${some[0]?.kind} packages that ${vendor} built, not the distribution (${some[0]?.name} ${some[0]?.version}${others})`
    return { doubt: 'unsupported-component', detail }
  })
}

function distributionName({ release }: ImageInventory): string {
  if (release === undefined) return 'an unknown distribution (no os-release)'
  return `${release.id || 'an unnamed distribution'}${release.versionId === undefined ? '' : ` ${release.versionId}`}, which has no advisories here`
}

/** The same for evidence that stands. */
export function advisoryDateOf(evidence: Evidence, advisories: OpenAdvisories): string {
  return oldestDate(distinctSubjects(evidence.packages.map((pkg) => subjectOf(pkg, evidence.ecosystem) ?? null)).values(), advisories)
}

/** The advisories that judged it are as old as the oldest of them; without any, as the database. */
export function oldestDate(subjects: Iterable<PackageVersion>, advisories: Pick<OpenAdvisories, 'coverage' | 'date'>): string {
  const ecosystems = new Set(Array.from(subjects, ({ ecosystem }) => ecosystem))
  const dates = [...ecosystems].flatMap((ecosystem) => advisories.coverage(ecosystem)?.asOf ?? [])
  return dates.sort((a, b) => Date.parse(a) - Date.parse(b))[0] ?? advisories.date
}
