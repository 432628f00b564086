import type { Finding } from '../../model/advisory.ts'
import type { InBase } from '../../model/base.ts'

/** A flaw, and the package URLs of the packages that it is in. */
export type FoundIn = Finding & { places: readonly { purl: string }[]; inBase?: InBase }

interface Vulnerability {
  id: string
  source: { name: string }
  ratings: { severity: Finding['severity']; score?: number }[]
  affects: { ref: string; versions: { version: string; status: 'affected' | 'unknown' }[] }[]
  analysis: { state: 'exploitable' | 'in_triage'; detail: string }
  recommendation?: string
  published?: string
  properties?: { name: string; value: string }[]
}

/**
 * In: findings, and what to point at where one has no place. Out: one entry per flaw.
 * CycloneDX 1.6, "vulnerabilities". Nobody has analysed a flaw that was only matched: it is `in_triage`; one that is
 * known to be exploited somewhere is `exploitable`.
 */
export function vulnerabilitiesOf(findings: readonly FoundIn[], fallbackRef: string): Vulnerability[] {
  return [...Map.groupBy(findings, ({ id }) => id)].map(([id, same]) => vulnerabilityOf(id, same, fallbackRef))
}

function vulnerabilityOf(id: string, same: FoundIn[], fallbackRef: string): Vulnerability {
  const first = same[0] as FoundIn
  const exploited = same.some(({ knownExploited }) => knownExploited)
  const recommendation = same.flatMap(({ packageName, fixedVersion }) =>
    fixedVersion === undefined ? [] : [`${packageName} ${fixedVersion}`],
  )
  const published = isoDate(first.published)
  return {
    id,
    source: { name: first.sources[0]?.source ?? 'unknown' },
    ratings: distinct(same.map(({ severity, score }) => ({ severity, ...(score !== undefined && { score }) }))),
    affects: affectsOf(same, fallbackRef),
    analysis: { state: exploited ? 'exploitable' : 'in_triage', detail: detailOf(same, exploited) },
    ...(recommendation.length > 0 && { recommendation: `Update to ${distinct(recommendation).join(', ')} or later` }),
    ...(published !== undefined && { published }),
    properties: [
      ...distinct(same.flatMap(({ ids }) => ids))
        .filter((alias) => alias !== id)
        .map((value) => ({ name: 'lazaret:alias', value })),
      ...inBaseOf(same).map((value) => ({ name: 'lazaret:inBase', value })),
    ],
  }
}

function affectsOf(same: FoundIn[], fallbackRef: string): Vulnerability['affects'] {
  const pairs = same.flatMap((finding) => {
    const refs = finding.places.length === 0 ? [fallbackRef] : distinct(finding.places.map(({ purl }) => purl))
    return refs.map((ref) => ({ ref, version: finding.packageVersion, status: statusOf(finding) }))
  })
  return [...Map.groupBy(pairs, ({ ref }) => ref)].map(([ref, found]) => ({
    ref,
    versions: distinct(found.map(({ version, status }) => ({ version, status }))),
  }))
}

/** One word for the packages that it is in: where the base had it in some of them alone, `partly`. */
function inBaseOf(same: FoundIn[]): string[] {
  const words = distinct(same.flatMap(({ inBase }) => inBase ?? []))
  return words.length > 1 ? ['partly'] : words.map(String)
}

function statusOf({ state }: Finding): 'affected' | 'unknown' {
  return state === 'affected' ? 'affected' : 'unknown'
}

function detailOf(same: Finding[], exploited: boolean): string {
  const words = [
    same.every(({ state }) => state === 'unknown-version')
      ? 'a version could not be compared with the affected ones'
      : 'the installed version is among the affected ones',
    ...(exploited ? ['it is known to be exploited'] : []),
    ...(same.some(({ malicious }) => malicious) ? ['the package itself is malicious'] : []),
  ]
  return words.join('; ')
}

function isoDate(text: string | undefined): string | undefined {
  return text !== undefined && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/.test(text) && !Number.isNaN(Date.parse(text))
    ? text
    : undefined
}

function distinct<T>(values: T[]): T[] {
  return [...new Map(values.map((value) => [JSON.stringify(value), value])).values()]
}
