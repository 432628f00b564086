import type { Severity, SeverityClaim } from '../model/advisory.ts'
import { type JsonObject, limits, listAt, objectAt, own } from './fields.ts'

/** The words of the sources, by the words of `Severity`. Debian's `unimportant` is low: known, and no reason to act. */
const words: ReadonlyMap<string, Severity> = new Map<string, Severity>([
  ['critical', 'critical'],
  ['high', 'high'],
  ['important', 'high'],
  ['medium', 'medium'],
  ['moderate', 'medium'],
  ['low', 'low'],
  ['minor', 'low'],
  ['negligible', 'low'],
  ['minimal', 'low'],
  ['unimportant', 'low'],
  ['none', 'none'],
])

/** In: a source's own word in any case (`MODERATE`, Debian's `low**`). Out: a claim, or undefined where it says nothing. */
export function labelClaim(word: unknown): SeverityClaim | undefined {
  if (typeof word !== 'string' || word.length > 40) return undefined
  const severity = words.get(word.replaceAll('*', '').trim().toLowerCase())
  return severity === undefined ? undefined : { type: 'label', value: severity }
}

/**
 * OSV `severity[]`: CVSS vectors, and the words that Ubuntu puts there. An entry of another type says nothing that
 * we can weigh and is left out; whether a vector is sound is for the scoring to say.
 */
export function severityClaims(holder: JsonObject, where: string): SeverityClaim[] {
  const claims: SeverityClaim[] = []
  for (const [index, entry] of listAt(holder, 'severity', limits.severities, where).entries()) {
    const claim = claimOf(objectAt(entry, `${where === '' ? '' : `${where}.`}severity[${index}]`))
    if (claim !== undefined) addClaim(claims, claim)
  }
  return claims
}

/** Adds a claim unless it is there already. */
export function addClaim<T extends SeverityClaim>(claims: T[], claim: T): void {
  if (!claims.some((known) => known.type === claim.type && known.value === claim.value)) claims.push(claim)
}

function claimOf(entry: JsonObject): SeverityClaim | undefined {
  const score = own(entry, 'score')
  if (typeof score !== 'string' || score.length > 512) return undefined
  const vector = score.trim()
  if (vector.startsWith('CVSS:4.')) return { type: 'CVSS_V4', value: vector }
  if (vector.startsWith('CVSS:3.')) return { type: 'CVSS_V3', value: vector }
  if (own(entry, 'type') === 'CVSS_V2') return { type: 'CVSS_V2', value: vector }
  return labelClaim(vector)
}
