/** The one form of an advisory: OSV's (ossf.github.io/osv-schema), cut down to facts. */
export interface Advisory {
  id: string
  aliases: string[]
  /** Distribution record to CVE (OSV `upstream`). */
  upstream: string[]
  /** ISO 8601. */
  published?: string
  modified?: string
  withdrawn?: string
  severity: SeverityClaim[]
  affected: AffectedPackage[]
  /** OSV `MAL-…`: the package itself is malicious. */
  malicious: boolean
  /** File name of the source that brought it: `osv`, `debian`, `alpine` … */
  source: string
}

export interface SeverityClaim {
  type: 'CVSS_V2' | 'CVSS_V3' | 'CVSS_V4' | 'label'
  /** A vector, or one of the words of `Severity`. */
  value: string
}

/** A claim with the record that makes it. */
export type SourcedClaim = SeverityClaim & { id: string; source: string }

export interface AffectedPackage {
  ecosystem: string
  name: string
  ranges: AffectedRange[]
  versions: string[]
  /** The distribution's own word for this package, where it has one. */
  severity?: SeverityClaim[]
  /** `not-affected` stands alone, without ranges and versions; any other beside the range that has no fix. */
  word?: DistributionWord
  /** `NAME:STREAM` of the modules whose builds it speaks of; empty where the record does not name them. Absent: of no module's. */
  modules?: string[]
}

/** What a distribution says of a flaw in its package, besides versions; the gravest first. `no-advisory`: too small for one of its own. */
export const distributionWords = ['end-of-life', 'will-not-fix', 'postponed', 'no-advisory', 'fix-pending', 'not-affected'] as const
export type DistributionWord = (typeof distributionWords)[number]

export interface AffectedRange {
  type: 'SEMVER' | 'ECOSYSTEM'
  /** In the order of the record; matching sorts them. */
  events: RangeEvent[]
}

export type RangeEvent = { introduced: string } | { fixed: string } | { lastAffected: string } | { limit: string }

export const severities = ['unknown', 'none', 'low', 'medium', 'high', 'critical'] as const
export type Severity = (typeof severities)[number]

/** One flaw in one package version, after records that speak of the same flaw were joined. */
export interface Finding {
  /** The id that people know: the CVE where there is one, else GHSA, else the record's own. */
  id: string
  /** Every id of the cluster, `id` among them. */
  ids: string[]
  ecosystem: string
  /** As advisories name it, and the installed packages that it stands for. */
  packageName: string
  packageVersion: string
  severity: Severity
  /** CVSS base score where a vector was given. */
  score?: number
  /** The smallest version that cures it, by this ecosystem's order. */
  fixedVersion?: string
  /** The distribution's word on a flaw that it has no fix for. */
  word?: DistributionWord
  /** What each source says, the chosen one first; and in words why it was chosen. */
  severities?: SeverityOpinion[]
  severityReason?: string
  knownExploited: boolean
  /** EPSS, of the CVE that is the most likely to be exploited. */
  epss?: ExploitProbability & { id: string }
  malicious: boolean
  /** ISO dates of the record. */
  published?: string
  /** Record ids and their sources that led here. */
  sources: { id: string; source: string }[]
  /** 'affected', or 'unknown-version' where the version could not be compared. */
  state: 'affected' | 'unknown-version'
  /** What a record of this ecosystem asks besides the version, and an image does not tell. */
  caveat?: string
}

/** A flaw that is known of the package, and that its distribution says the package does not have. */
export interface Clearance {
  id: string
  ids: string[]
  ecosystem: string
  packageName: string
  packageVersion: string
  word: 'not-affected'
  sources: { id: string; source: string }[]
}

/** What one record says of a flaw's severity. */
export interface SeverityOpinion {
  /** The record, and the source that it came from. */
  id: string
  source: string
  severity: Severity
  /** CVSS base score and vector, where one was given. */
  score?: number
  vector?: string
  chosen: boolean
}

/** EPSS (first.org/epss): how likely the flaw is to be exploited within the next 30 days. */
export interface ExploitProbability {
  /** 0 to 1. */
  probability: number
  /** The share of all CVEs that are no more likely, 0 to 1. */
  percentile: number
  /** ISO 8601: the day that it was worked out for. */
  date: string
}

/** What matching and judging read: one revision of the advisory database, never changing while open. */
export interface AdvisoryReader {
  /** Grows with each import; stored with what was made from it. */
  readonly revision: string
  /** ISO date of the newest data in it. */
  readonly date: string
  /** Whether any source here judges this ecosystem (with its suffix): `Debian:12`. */
  covers(ecosystem: string): boolean
  /** Every advisory that speaks of this package, withdrawn ones left out. */
  about(ecosystem: string, name: string): Advisory[]
  /** Severity claims of the records with these ids (CVE, GHSA …), for records that have none of their own. */
  severityOf(ids: readonly string[]): SourcedClaim[]
  /** CISA KEV, by CVE id. */
  isKnownExploited(id: string): boolean
  /** EPSS, by CVE id; undefined where none is known. */
  exploitProbability(id: string): ExploitProbability | undefined
}
