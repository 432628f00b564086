// Evidence that is brought to other advisories: of the packages that they say something else of, and of no other.
import type { ChangeSet } from '../advisories/changes.ts'
import type { OpenAdvisories } from '../advisories/database.ts'
import { matchPackageVersion } from '../match/match.ts'
import { subjectOf } from '../match/subjects.ts'
import { clearancesOf } from '../match/words.ts'
import type { Clearance, Finding } from '../model/advisory.ts'
import type { PackageVersion } from '../model/package.ts'
import type { DoubtNote, Evidence } from '../model/verdict.ts'
import { familyOf, normalName, spellingsOf } from '../versions/ecosystem.ts'
import { distinctSubjects, oldestDate, subjectKey, unknownVersions } from './evidence.ts'

/** Packages of which something else is said, to be asked by the name that an image has. */
export interface ChangedNames {
  has(subject: PackageVersion): boolean
}

export function changedNames(packages: ChangeSet['packages']): ChangedNames {
  const said = Map.groupBy(packages, ({ ecosystem }) => ecosystem)
  const known = new Map<string, ReadonlySet<string>>()
  /** Whatever spelling of the ecosystem it is said under. */
  const namesIn = (ecosystem: string): ReadonlySet<string> => {
    const found = known.get(ecosystem)
    if (found !== undefined) return found
    const names = new Set([...spellingsOf(ecosystem)].flatMap((spelling) => (said.get(spelling) ?? []).map(({ name }) => name)))
    known.set(ecosystem, names)
    return names
  }
  return {
    has({ ecosystem, name }) {
      const names = namesIn(ecosystem)
      return names.size > 0 && (names.has(name) || names.has(normalName(ecosystem, name)))
    },
  }
}

/** What is found in a package version, as it stands in evidence. */
export interface Matched {
  findings: Finding[]
  cleared: Clearance[]
}

export function matchOne(subject: PackageVersion, advisories: OpenAdvisories): Matched {
  const findings = matchPackageVersion(subject, advisories)
  return { findings, cleared: clearancesOf(subject, findings, advisories) }
}

/** Families whose packages may be of a module, which the records of package versions do not tell: nothing is said of these here. */
const modular: ReadonlySet<string> = new Set(['AlmaLinux', 'Red Hat', 'Rocky Linux', 'openEuler', 'Mageia'])

/** Out: whether two revisions find the same in it; false where that can't be told. */
export function isSameBy(subject: PackageVersion, one: OpenAdvisories, other: OpenAdvisories): boolean {
  if (modular.has(familyOf(subject.ecosystem))) return false
  return JSON.stringify(matchOne(subject, one)) === JSON.stringify(matchOne(subject, other))
}

export interface Rematched {
  evidence: Evidence
  /** Those that were matched again. */
  subjects: PackageVersion[]
}

/**
 * In: evidence, which packages are spoken of otherwise since it was made, the advisories in force, and whether their age alone is a
 * reason. Out: the new evidence; undefined where it comes to the same. Nothing but matching is done: what else the advisories say of
 * an image (ecosystems that are covered, files that are known) asks for an examination.
 */
export function rematched(evidence: Evidence, names: ChangedNames, advisories: OpenAdvisories, dated: boolean): Rematched | undefined {
  const distinct = distinctSubjects(evidence.packages.map((pkg) => subjectOf(pkg, evidence.ecosystem) ?? null))
  const subjects = [...distinct.values()].filter((subject) => names.has(subject))
  const advisoryDate = oldestDate(distinct.values(), advisories)
  const isOlder = dated && advisoryDate !== evidence.advisoryDate
  const fresh = new Map(subjects.map((subject) => [subjectKey(subject), matchOne(subject, advisories)]))
  const old = bySubject(evidence)
  const isSame = [...fresh].every(([key, matched]) => JSON.stringify(old.get(key) ?? nothing) === JSON.stringify(matched))
  if (isSame && !isOlder) return undefined
  const matches = [...distinct.keys()].map((key) => fresh.get(key) ?? old.get(key) ?? nothing)
  const findings = matches.flatMap((match) => match.findings)
  const cleared = matches.flatMap((match) => match.cleared)
  const { cleared: _, ...rest } = evidence
  return {
    evidence: {
      ...rest,
      findings,
      ...(cleared.length === 0 ? {} : { cleared }),
      doubts: withUnknownVersions(evidence.doubts, unknownVersions(findings)),
      advisoryRevision: advisories.revision,
      advisoryDate,
    },
    subjects,
  }
}

const nothing: Matched = { findings: [], cleared: [] }

function bySubject({ findings, cleared = [] }: Evidence): Map<string, Matched> {
  const found = new Map<string, Matched>()
  const of = ({ ecosystem, packageName, packageVersion }: Finding | Clearance): Matched => {
    const key = subjectKey({ ecosystem, name: packageName, version: packageVersion })
    const known = found.get(key) ?? { findings: [], cleared: [] }
    found.set(key, known)
    return known
  }
  for (const finding of findings) of(finding).findings.push(finding)
  for (const clearance of cleared) of(clearance).cleared.push(clearance)
  return found
}

/** In the place that they have: last but for the note that there is no package. */
function withUnknownVersions(doubts: readonly DoubtNote[], notes: readonly DoubtNote[]): DoubtNote[] {
  const others = doubts.filter(({ doubt }) => doubt !== 'unknown-version' && doubt !== 'no-packages')
  return [...others, ...notes, ...doubts.filter(({ doubt }) => doubt === 'no-packages')]
}
