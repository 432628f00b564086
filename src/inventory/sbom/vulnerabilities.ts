import type { Finding } from '../../model/advisory.ts'
import type { ImagePackage, PackageKind } from '../../model/package.ts'

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
 * In: findings, the packages they are about, and what to point at where none of those fits. Out: one entry per flaw.
 * CycloneDX 1.6, "vulnerabilities". Nobody has analysed a flaw that was only matched: it is `in_triage`; one that is
 * known to be exploited somewhere is `exploitable`.
 */
export function vulnerabilitiesOf(findings: readonly Finding[], packages: readonly ImagePackage[], fallbackRef: string): Vulnerability[] {
  const refs = Map.groupBy(
    packages.filter(({ ownedBy }) => ownedBy === undefined),
    keyOfPackage,
  )
  const refsOf = (finding: Finding) => {
    const found = refs.get(keyOf(kindOf(finding.ecosystem), finding.packageName, finding.packageVersion)) ?? []
    return found.length === 0 ? [fallbackRef] : found.map(({ purl }) => purl)
  }
  return [...Map.groupBy(findings, ({ id }) => id)].map(([id, same]) => vulnerabilityOf(id, same, refsOf))
}

function vulnerabilityOf(id: string, same: Finding[], refsOf: (finding: Finding) => string[]): Vulnerability {
  const first = same[0] as Finding
  const exploited = same.some(({ knownExploited }) => knownExploited)
  const recommendation = same.flatMap(({ packageName, fixedVersion }) =>
    fixedVersion === undefined ? [] : [`${packageName} ${fixedVersion}`],
  )
  const published = isoDate(first.published)
  return {
    id,
    source: { name: first.sources[0]?.source ?? 'unknown' },
    ratings: distinct(same.map(({ severity, score }) => ({ severity, ...(score !== undefined && { score }) }))),
    affects: affectsOf(same, refsOf),
    analysis: { state: exploited ? 'exploitable' : 'in_triage', detail: detailOf(same, exploited) },
    ...(recommendation.length > 0 && { recommendation: `Update to ${distinct(recommendation).join(', ')} or later` }),
    ...(published !== undefined && { published }),
    properties: distinct(same.flatMap(({ ids }) => ids))
      .filter((alias) => alias !== id)
      .map((value) => ({ name: 'lazaret:alias', value })),
  }
}

function affectsOf(same: Finding[], refsOf: (finding: Finding) => string[]): Vulnerability['affects'] {
  const pairs = same.flatMap((finding) =>
    refsOf(finding).map((ref) => ({ ref, version: finding.packageVersion, status: statusOf(finding) })),
  )
  return [...Map.groupBy(pairs, ({ ref }) => ref)].map(([ref, found]) => ({
    ref,
    versions: distinct(found.map(({ version, status }) => ({ version, status }))),
  }))
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

/** By the name that advisories use: the source package's where there is one. */
function keyOfPackage(pack: ImagePackage): string {
  const named = pack.source ?? pack
  return keyOf(pack.kind, named.name, named.version)
}

function keyOf(kind: PackageKind | undefined, name: string, version: string): string {
  return `${kind ?? ''}\n${name}\n${version}`
}

function kindOf(ecosystem: string): PackageKind | undefined {
  const base = ecosystem.split(':', 1)[0] ?? ''
  if (base === 'npm') return 'npm'
  if (base === 'PyPI') return 'pypi'
  return /^(?:Alpine|Alpaquita|Chainguard|Wolfi|MinimOS)/.test(base) ? 'apk' : /^(?:Debian|Ubuntu|Echo)/.test(base) ? 'deb' : undefined
}

function isoDate(text: string | undefined): string | undefined {
  return text !== undefined && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/.test(text) && !Number.isNaN(Date.parse(text))
    ? text
    : undefined
}

function distinct<T>(values: T[]): T[] {
  return [...new Map(values.map((value) => [JSON.stringify(value), value])).values()]
}
