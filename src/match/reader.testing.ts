import type { Advisory, AdvisoryReader, AffectedPackage, ExploitProbability, RangeEvent, SeverityClaim } from '../model/advisory.ts'
import { familyOf, normalName } from '../versions/ecosystem.ts'

export interface World {
  advisories?: Advisory[]
  exploited?: string[]
  severities?: Record<string, SeverityClaim[]>
  probabilities?: Record<string, ExploitProbability>
}

/** A reader over what a test says. It gives every record of the family and name, so that matching has to choose. */
export function readerOf({ advisories = [], exploited = [], severities = {}, probabilities = {} }: World): AdvisoryReader {
  const byName = new Map<string, Advisory[]>()
  for (const advisory of advisories) {
    for (const key of new Set(advisory.affected.map(({ ecosystem, name }) => keyOf(ecosystem, name))))
      byName.set(key, [...(byName.get(key) ?? []), advisory])
  }
  return {
    revision: '1',
    date: '2026-11-01T00:00:00Z',
    covers: () => true,
    about: (ecosystem, name) => byName.get(keyOf(ecosystem, name)) ?? [],
    severityOf: (ids) => ids.flatMap((id) => (severities[id] ?? []).map((claim) => ({ ...claim, id, source: 'osv' }))),
    isKnownExploited: (id) => exploited.includes(id),
    exploitProbability: (id) => probabilities[id],
  }
}

function keyOf(ecosystem: string, name: string): string {
  return `${familyOf(ecosystem)} ${normalName(ecosystem, name)}`
}

/** An advisory with what a test says, and nothing else. */
export function advisory(id: string, affected: AffectedPackage[], rest: Partial<Advisory> = {}): Advisory {
  return { id, aliases: [], upstream: [], severity: [], malicious: false, source: 'osv', affected, ...rest }
}

/** In: `introduced 0, fixed 1.2`. Out: an entry with that one range. */
export function affects(ecosystem: string, name: string, ...ranges: string[]): AffectedPackage {
  return { ecosystem, name, versions: [], ranges: ranges.map((range) => ({ type: 'ECOSYSTEM', events: eventsOf(range) })) }
}

export function eventsOf(text: string): RangeEvent[] {
  return text.split(',').map((part) => {
    const [kind = '', version = ''] = part.trim().split(' ')
    if (!['introduced', 'fixed', 'lastAffected', 'limit'].includes(kind)) throw new SyntaxError(`not an event: ${part}`)
    return { [kind]: version } as unknown as RangeEvent
  })
}
