import type { Clearance, Finding } from './advisory.ts'
import type { Digest } from './digest.ts'
import type { OsRelease } from './layer.ts'
import type { ManifestKind } from './manifest.ts'
import type { ImagePackage } from './package.ts'

/** Why an image could not be fully judged. Each is a state that the policy speaks about. */
export const doubts = ['unreadable', 'unsupported', 'unsupported-component', 'unknown-version', 'no-packages', 'stale', 'damaged'] as const
export type Doubt = (typeof doubts)[number]

export interface DoubtNote {
  doubt: Doubt
  /** What and where, in a line for people. */
  detail: string
}

/** What is known of one manifest, whoever holds it. The judge needs nothing else. */
export interface Evidence {
  digest: Digest
  kind: ManifestKind
  release?: OsRelease
  /** OSV ecosystem of the distribution, where it has one: `Debian:12`. */
  ecosystem?: string
  packages: ImagePackage[]
  findings: Finding[]
  /** Flaws that a distribution says its package does not have; absent where there are none. */
  cleared?: Clearance[]
  doubts: DoubtNote[]
  /** Every layer is JSON, which no runtime unpacks: only then can it be an attestation. */
  allJson?: boolean
  /** Revision of the advisory database that the findings came from. */
  advisoryRevision: string
  /** ISO date of that database. */
  advisoryDate: string
  /** ISO 8601. */
  examinedAt: string
}

export type Decision = 'allow' | 'warn' | 'deny' | 'pending'

export interface Reason {
  rule: string
  /** What the policy says of it: the worst of all is the decision. */
  effect: 'deny' | 'warn' | 'allow'
  severity: 'unknown' | 'none' | 'low' | 'medium' | 'high' | 'critical'
  /** One line, without the image's name. */
  message: string
  remedy: string
  /** Facts that the rule saw: ids, packages, paths. */
  evidence: Record<string, unknown>
}

export interface Verdict {
  decision: Decision
  policy: string
  policyRevision: string
  evidenceRevision: number
  judgedAt: string
  /** The first instant at which this turns by itself; absent where nothing will. */
  validUntil?: string
  reasons: Reason[]
}

/** How an index stands, by its children. */
export interface ChildVerdict {
  digest: Digest
  platform?: string
  decision: Decision
}
