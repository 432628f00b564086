// How records stand in the database: short, because a revision holds some hundred thousand of them.
//
//   affects.body   `<1.2-3`                                  every version below 1.2-3
//                  [[["E","i0","f1.2"]],["1.0"],[["L","low"]],["nodejs:18"],"w"]   ranges, versions, severity, modules, word
//   records.facts  {"a":[aliases],"u":[upstream],"s":[severity],"c":[severity of its packages]}
import {
  type Advisory,
  type AffectedPackage,
  type AffectedRange,
  type DistributionWord,
  distributionWords,
  type RangeEvent,
  type SeverityClaim,
} from '../model/advisory.ts'
import { isDistribution } from '../versions/ecosystem.ts'
import { addClaim } from './severity.ts'

export interface RecordFacts {
  aliases: string[]
  upstream: string[]
  severity: SeverityClaim[]
  /** Claims that hold for the flaw wherever it is, found at the packages of a record that isn't a distribution's. */
  packageSeverity: SeverityClaim[]
}

/** What a record says of one package: its entries for that package together. */
export type PackageFacts = Omit<AffectedPackage, 'ecosystem' | 'name'>

export function encodeFacts(facts: RecordFacts): string | null {
  const short: Record<string, unknown> = {}
  if (facts.aliases.length > 0) short['a'] = facts.aliases
  if (facts.upstream.length > 0) short['u'] = facts.upstream
  if (facts.severity.length > 0) short['s'] = facts.severity.map(encodeClaim)
  if (facts.packageSeverity.length > 0) short['c'] = facts.packageSeverity.map(encodeClaim)
  return Object.keys(short).length === 0 ? null : JSON.stringify(short)
}

export function decodeFacts(text: string | null): RecordFacts {
  const short = (text === null ? {} : JSON.parse(text)) as { a?: string[]; u?: string[]; s?: ShortClaim[]; c?: ShortClaim[] }
  return {
    aliases: short.a ?? [],
    upstream: short.u ?? [],
    severity: (short.s ?? []).map(decodeClaim),
    packageSeverity: (short.c ?? []).map(decodeClaim),
  }
}

export function factsOf(advisory: Advisory): RecordFacts {
  const packageSeverity: SeverityClaim[] = []
  for (const affected of advisory.affected) {
    if (!isDistribution(affected.ecosystem)) for (const claim of affected.severity ?? []) addClaim(packageSeverity, claim)
  }
  return {
    aliases: advisory.aliases,
    upstream: advisory.upstream,
    severity: advisory.severity,
    packageSeverity: packageSeverity.slice(0, 8),
  }
}

export function mergeFacts(a: RecordFacts, b: RecordFacts): RecordFacts {
  const claims = (one: SeverityClaim[], two: SeverityClaim[]): SeverityClaim[] => {
    const all = [...one]
    for (const claim of two) addClaim(all, claim)
    return all
  }
  return {
    aliases: [...new Set([...a.aliases, ...b.aliases])],
    upstream: [...new Set([...a.upstream, ...b.upstream])],
    severity: claims(a.severity, b.severity),
    packageSeverity: claims(a.packageSeverity, b.packageSeverity),
  }
}

export function encodePackage(facts: PackageFacts): string {
  const [range] = facts.ranges
  if (facts.ranges.length === 1 && range?.type === 'ECOSYSTEM' && facts.versions.length === 0 && isPlain(facts)) {
    const [first, second] = range.events
    if (
      range.events.length === 2 &&
      first !== undefined &&
      'introduced' in first &&
      first.introduced === '0' &&
      second !== undefined &&
      'fixed' in second
    )
      return `<${second.fixed}`
  }
  const short: unknown[] = [facts.ranges.map(encodeRange)]
  if (facts.versions.length > 0 || !isPlain(facts)) short.push(facts.versions)
  if (!isPlain(facts)) short.push((facts.severity ?? []).map(encodeClaim))
  if (facts.modules !== undefined || facts.word !== undefined) short.push(facts.modules ?? null)
  if (facts.word !== undefined) short.push(facts.word)
  return JSON.stringify(short)
}

function isPlain(facts: PackageFacts): boolean {
  return facts.severity === undefined && facts.modules === undefined && facts.word === undefined
}

export function decodePackage(body: string): PackageFacts {
  if (body.startsWith('<'))
    return { ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed: body.slice(1) }] }], versions: [] }
  const [ranges, versions, severity, modules, word] = JSON.parse(body) as ShortPackage
  return {
    ranges: ranges.map(decodeRange),
    versions: versions ?? [],
    ...(severity === undefined || severity.length === 0 ? {} : { severity: severity.map(decodeClaim) }),
    ...(modules === undefined || modules === null ? {} : { modules }),
    ...(word === undefined ? {} : { word }),
  }
}

/** Both words together: a version that either covers is affected. */
export function mergePackage(a: PackageFacts, b: PackageFacts): PackageFacts {
  const ranges = new Map([...a.ranges, ...b.ranges].map((range) => [encodeRange(range).join('\n'), range]))
  const severity = [...(a.severity ?? [])]
  for (const claim of b.severity ?? []) addClaim(severity, claim)
  return {
    ranges: [...ranges.values()],
    versions: [...new Set([...a.versions, ...b.versions])],
    ...(severity.length === 0 ? {} : { severity }),
    ...mergeModules(a.modules, b.modules),
    ...mergeWords(a, b),
  }
}

/** The graver of two; that a package is not affected says nothing beside a word that some of it is. */
function mergeWords(a: PackageFacts, b: PackageFacts): { word?: DistributionWord } {
  const affects = [a, b].some(({ ranges, versions }) => ranges.length + versions.length > 0)
  const word = distributionWords.find((one) => (one === a.word || one === b.word) && !(affects && one === 'not-affected'))
  return word === undefined ? {} : { word }
}

/** Where one of the two is of any module, so are both. */
function mergeModules(a: string[] | undefined, b: string[] | undefined): { modules?: string[] } {
  if (a === undefined && b === undefined) return {}
  if (a?.length === 0 || b?.length === 0) return { modules: [] }
  return { modules: [...new Set([...(a ?? []), ...(b ?? [])])] }
}

type ShortClaim = [string, string]
type ShortPackage = [string[][], string[]?, ShortClaim[]?, (string[] | null)?, DistributionWord?]

const claimTypes: readonly (readonly [string, SeverityClaim['type']])[] = [
  ['2', 'CVSS_V2'],
  ['3', 'CVSS_V3'],
  ['4', 'CVSS_V4'],
  ['L', 'label'],
]

function encodeClaim(claim: SeverityClaim): ShortClaim {
  return [claimTypes.find(([, type]) => type === claim.type)?.[0] ?? 'L', claim.value]
}

function decodeClaim([short, value]: ShortClaim): SeverityClaim {
  return { type: claimTypes.find(([name]) => name === short)?.[1] ?? 'label', value }
}

function encodeRange(range: AffectedRange): string[] {
  return [range.type === 'SEMVER' ? 'S' : 'E', ...range.events.map(encodeEvent)]
}

function decodeRange([type, ...events]: string[]): AffectedRange {
  return { type: type === 'S' ? 'SEMVER' : 'ECOSYSTEM', events: events.map(decodeEvent) }
}

function encodeEvent(event: RangeEvent): string {
  if ('introduced' in event) return `i${event.introduced}`
  if ('fixed' in event) return `f${event.fixed}`
  if ('lastAffected' in event) return `a${event.lastAffected}`
  return `l${event.limit}`
}

function decodeEvent(short: string): RangeEvent {
  const version = short.slice(1)
  if (short.startsWith('i')) return { introduced: version }
  if (short.startsWith('f')) return { fixed: version }
  return short.startsWith('a') ? { lastAffected: version } : { limit: version }
}
