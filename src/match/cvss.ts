// CVSS 2.0, 3.0, 3.1 and 4.0 by FIRST; which claim wins: docs, "Severity".
import calculator from 'ae-cvss-calculator'
import type { Severity, SeverityClaim } from '../model/advisory.ts'

export interface Score {
  severity: Severity
  /** Base score, where a vector decided. */
  score?: number
}

/** The sources' words, for labels that were not put into ours before. */
const words: ReadonlyMap<string, Severity> = new Map<string, Severity>([
  ['critical', 'critical'],
  ['high', 'high'],
  ['important', 'high'],
  ['medium', 'medium'],
  ['moderate', 'medium'],
  ['low', 'low'],
  ['negligible', 'low'],
  ['unimportant', 'low'],
  ['minimal', 'low'],
  ['none', 'none'],
])
const rank: Record<Severity, number> = { unknown: 0, none: 1, low: 2, medium: 3, high: 4, critical: 5 }

/**
 * In: claims of one standing (of one package, one record, one flaw). Out: the highest CVSS 4 score, else the highest
 * 3.x, else the highest label, else CVSS 2, which knows no critical of its own and is a last resort; else `unknown`.
 * A vector that is not valid is not counted.
 */
export function scoreOf(claims: readonly SeverityClaim[]): Score {
  return scoreWithoutV2(claims) ?? highestScore(claims, 'CVSS_V2') ?? { severity: 'unknown' }
}

/**
 * In: claims by standing, the one to believe first first. Out: what the first that says anything says; CVSS 2 only where
 * no other claim of any standing says anything.
 */
export function firstScore(standings: readonly (readonly SeverityClaim[])[]): Score {
  for (const claims of standings) {
    const score = scoreWithoutV2(claims)
    if (score !== undefined) return score
  }
  return scoreOf(standings.flat())
}

/** Negative where the first is the graver. */
export function compareSeverities(a: Severity, b: Severity): number {
  return rank[b] - rank[a]
}

/** CVSS 3.1 and 4.0, "Qualitative Severity Rating Scale". */
export function severityOfScore(score: number): Severity {
  if (score >= 9) return 'critical'
  if (score >= 7) return 'high'
  if (score >= 4) return 'medium'
  return score > 0 ? 'low' : 'none'
}

function scoreWithoutV2(claims: readonly SeverityClaim[]): Score | undefined {
  return highestScore(claims, 'CVSS_V4') ?? highestScore(claims, 'CVSS_V3') ?? highestLabel(claims)
}

function highestScore(claims: readonly SeverityClaim[], type: VectorType): Score | undefined {
  const scores = claims
    .filter((claim) => claim.type === type)
    .map((claim) => baseScoreOf(type, claim.value))
    .filter((score) => score !== undefined)
  if (scores.length === 0) return undefined
  const score = scores.reduce((highest, other) => Math.max(highest, other))
  return { severity: severityOfScore(score), score }
}

function highestLabel(claims: readonly SeverityClaim[]): Score | undefined {
  let highest: Severity = 'unknown'
  for (const claim of claims) {
    if (claim.type !== 'label' || claim.value.length > 40) continue
    const severity = words.get(claim.value.trim().toLowerCase()) ?? 'unknown'
    if (rank[severity] > rank[highest]) highest = severity
  }
  return highest === 'unknown' ? undefined : { severity: highest }
}

type VectorType = 'CVSS_V2' | 'CVSS_V3' | 'CVSS_V4'

const prefixes: Record<VectorType, RegExp> = { CVSS_V2: /^AV:/, CVSS_V3: /^CVSS:3\.[01]\//, CVSS_V4: /^CVSS:4\.0\// }

/** The same few hundred vectors come again and again, and a score costs a tenth of a millisecond. */
const known = new Map<string, number | undefined>()
const maxKnown = 4096

/** In: a vector of the claimed version. Out: its base score, whatever threat or environment it adds; undefined where it is not valid. */
function baseScoreOf(type: VectorType, vector: string): number | undefined {
  if (vector.length > 256 || !prefixes[type].test(vector)) return undefined
  if (known.has(vector)) return known.get(vector)
  const score = calculate(vector)
  if (known.size >= maxKnown) known.clear()
  known.set(vector, score)
  return score
}

/** Of the calculator's answers, what is used here, whatever the version of the vector. */
interface Calculated {
  isBaseFullyDefined(): boolean
  calculateScores(): { base?: unknown; baseMetricsOnly?: unknown }
}

function calculate(vector: string): number | undefined {
  if (!isWellFormed(vector)) return undefined
  const cvss = calculator.fromVector(vector) as Calculated | null
  if (cvss?.isBaseFullyDefined() !== true) return undefined
  const scores = cvss.calculateScores()
  const score = scores.baseMetricsOnly ?? scores.base
  return typeof score === 'number' && score >= 0 && score <= 10 ? score : undefined
}

const metric = /^[A-Z][A-Za-z]{0,2}:[A-Za-z]{1,5}$/

/**
 * The calculator lets the last of two win, where the specifications forbid a second (3.1, section 6; 4.0, section 7),
 * and prints what has not the form of a metric.
 */
function isWellFormed(vector: string): boolean {
  const metrics = vector.replace(/^CVSS:[34]\.[01]\//, '').split('/')
  const names = new Set(metrics.map((text) => text.slice(0, text.indexOf(':'))))
  return metrics.every((text) => metric.test(text)) && names.size === metrics.length
}
