import type { Place, PlacedFinding } from '../places.ts'

/** One entry of an ignore file. It holds where everything that it says is so. */
export interface IgnoreRule {
  /** The file's name as it was given. */
  file: string
  /** How people find it there: the id that it names, or its place in the list. */
  name: string
  reason?: string
  /** From this instant on it ignores nothing. */
  expires?: Date
  /** Why it can ignore nothing here: it speaks of something that is not looked for, or has a condition that can't be told. */
  idle?: string
  finding?: (finding: PlacedFinding) => boolean
  place?: (place: Place, finding: PlacedFinding) => boolean
}

export interface IgnoredFinding extends PlacedFinding {
  ignoredBy: { file: string; name: string; reason?: string }
}

export interface RuleUse {
  file: string
  name: string
  use: 'used' | 'not used' | 'expired'
  /** How many findings it took out, or why none. */
  detail: string
  reason?: string
}

export interface Ignoring {
  kept: PlacedFinding[]
  ignored: IgnoredFinding[]
  uses: RuleUse[]
}

/**
 * In: findings, the rules of all ignore files, the instant. Out: what is left, what is not (with the first rule that says so), and
 * what became of every rule. A finding that a rule takes out in one place stays with its others.
 */
export function applyIgnores(findings: readonly PlacedFinding[], rules: readonly IgnoreRule[], now: Date): Ignoring {
  const live = rules.filter((rule) => rule.idle === undefined && !isExpired(rule, now))
  const counts = new Map<IgnoreRule, number>()
  const kept: PlacedFinding[] = []
  const ignored: IgnoredFinding[] = []
  for (const finding of findings) {
    let places = finding.places
    for (const rule of live) {
      if (rule.finding?.(finding) === false) continue
      const [taken, left] = [placesOf(rule, places, finding), places.filter((place) => rule.place?.(place, finding) === false)]
      if (taken.length === 0) continue
      places = left
      counts.set(rule, (counts.get(rule) ?? 0) + 1)
      ignored.push({ ...finding, places: taken, ignoredBy: wordsOf(rule) })
    }
    if (places.length > 0 || finding.places.length === 0) kept.push({ ...finding, places })
  }
  return { kept, ignored, uses: rules.map((rule) => useOf(rule, counts.get(rule) ?? 0, now)) }
}

function placesOf(rule: IgnoreRule, places: Place[], finding: PlacedFinding): Place[] {
  return places.filter((place) => rule.place?.(place, finding) !== false)
}

function isExpired({ expires }: IgnoreRule, now: Date): boolean {
  return expires !== undefined && expires.getTime() <= now.getTime()
}

function useOf(rule: IgnoreRule, count: number, now: Date): RuleUse {
  const words = wordsOf(rule)
  if (rule.idle !== undefined) return { ...words, use: 'not used', detail: rule.idle }
  if (isExpired(rule, now)) return { ...words, use: 'expired', detail: `since ${rule.expires?.toISOString().slice(0, 10) ?? ''}` }
  if (count === 0) return { ...words, use: 'not used', detail: 'nothing that was found is what it says' }
  return { ...words, use: 'used', detail: `${count} finding${count === 1 ? '' : 's'}` }
}

function wordsOf({ file, name, reason }: IgnoreRule): { file: string; name: string; reason?: string } {
  return { file, name, ...(reason !== undefined && reason !== '' && { reason }) }
}

/** Whether a finding is known by an id, in any letter case; `aliases` counts every id of its cluster. */
export function hasId(finding: PlacedFinding, id: string, aliases = true): boolean {
  const wanted = id.toUpperCase()
  return (aliases ? finding.ids : [finding.id]).some((one) => one.toUpperCase() === wanted)
}
