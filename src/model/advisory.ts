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

export interface AffectedPackage {
  ecosystem: string
  name: string
  ranges: AffectedRange[]
  versions: string[]
  /** The distribution's own word for this package, where it has one. */
  severity?: SeverityClaim[]
}

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
  knownExploited: boolean
  malicious: boolean
  /** ISO dates of the record. */
  published?: string
  /** Record ids and their sources that led here. */
  sources: { id: string; source: string }[]
  /** 'affected', or 'unknown-version' where the version could not be compared. */
  state: 'affected' | 'unknown-version'
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
  severityOf(ids: readonly string[]): SeverityClaim[]
  /** CISA KEV, by CVE id. */
  isKnownExploited(id: string): boolean
}
