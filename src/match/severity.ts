// Which of the severities that are claimed for a flaw counts, and why; the others are kept beside it.
import type { AdvisoryReader, Finding, SeverityClaim, SeverityOpinion, SourcedClaim } from '../model/advisory.ts'
import { isDistribution } from '../versions/ecosystem.ts'
import { type Cluster, isDistributionRecord } from './cluster.ts'
import { compareSeverities, firstScore, type Score, scoreOf } from './cvss.ts'
import type { Hit } from './hit.ts'
import { compareIds } from './ids.ts'

/** Opinions that are kept with a finding; the chosen one is among them. */
const mostOpinions = 16

type Judged = Pick<Finding, 'severity' | 'score' | 'severities' | 'severityReason'>

/**
 * In: the records of one flaw. Out: its severity by the distribution's word for its package, else by what the records say,
 * else by what is said of the CVE; what each source says; and in words why that one was chosen.
 */
export function severityOf({ ids, hits: anyOrder }: Cluster, ecosystem: string, advisories: AdvisoryReader): Judged {
  const hits = anyOrder.toSorted((a, b) => compareIds(a.advisory.id, b.advisory.id))
  const own = hits.flatMap((hit) => sourced(hit, ownWords(hit, ecosystem)))
  const recorded = hits.flatMap((hit) => sourced(hit, hit.advisory.severity))
  const standings = [own, recorded, advisories.severityOf(ids)]
  const chosen = firstScore(standings)
  const by = decidedBy(standings, chosen)
  return {
    ...chosen,
    severities: opinionsOf(standings.flat(), by?.claim),
    severityReason: by === undefined ? 'no source rates it' : reasonOf(by.standing, by.claim, ecosystem),
  }
}

/** What a record says of this package by itself; a word that stands over a distribution's record is the distribution's too. */
function ownWords({ advisory, packages }: Hit, ecosystem: string): SeverityClaim[] {
  const words = packages.flatMap(({ severity }) => severity ?? [])
  if (words.length > 0 || !isDistributionRecord(advisory.id, ecosystem)) return words
  return advisory.severity.filter(({ type }) => type === 'label')
}

function sourced({ advisory: { id, source } }: Hit, claims: readonly SeverityClaim[]): SourcedClaim[] {
  return claims.map((claim) => ({ ...claim, id, source }))
}

function decidedBy(standings: readonly SourcedClaim[][], chosen: Score): { standing: number; claim: SourcedClaim } | undefined {
  for (const v2 of [false, true]) {
    for (const [standing, claims] of standings.entries()) {
      const claim = claims.find((one) => (one.type === 'CVSS_V2') === v2 && isSame(scoreOf([one]), chosen))
      if (claim !== undefined) return { standing, claim }
    }
  }
  return undefined
}

function isSame(a: Score, b: Score): boolean {
  return a.severity !== 'unknown' && a.severity === b.severity && a.score === b.score
}

function reasonOf(standing: number, { type, id }: SourcedClaim, ecosystem: string): string {
  const how = type === 'label' ? 'the word' : `the CVSS ${{ CVSS_V2: '2', CVSS_V3: '3', CVSS_V4: '4' }[type]} score`
  if (standing === 0)
    return isDistribution(ecosystem) ? `${how} of the distribution for its package, in ${id}` : `${how} for this package, in ${id}`
  return standing === 1 ? `${how} of the record ${id}` : `the record has none, so ${how} of ${id} for the same flaw`
}

/** One for each record and kind of claim, the chosen one first, then the gravest. */
function opinionsOf(claims: readonly SourcedClaim[], chosen: SourcedClaim | undefined): SeverityOpinion[] {
  const opinions = new Map<string, SeverityOpinion>()
  for (const claim of chosen === undefined ? claims : [chosen, ...claims]) {
    const { type, value, id, source } = claim
    const score = scoreOf([claim])
    const key = `${id} ${type} ${value}`
    if (score.severity !== 'unknown' && !opinions.has(key))
      opinions.set(key, { id, source, ...score, ...(type === 'label' ? {} : { vector: value }), chosen: claim === chosen })
  }
  return [...opinions.values()].sort(compareOpinions).slice(0, mostOpinions)
}

function compareOpinions(a: SeverityOpinion, b: SeverityOpinion): number {
  const order = Number(b.chosen) - Number(a.chosen) || compareSeverities(a.severity, b.severity) || (b.score ?? 0) - (a.score ?? 0)
  if (order !== 0) return order
  return compareIds(`${a.id} ${a.vector ?? ''}`, `${b.id} ${b.vector ?? ''}`)
}
