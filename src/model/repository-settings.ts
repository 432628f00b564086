import { isRepositoryPattern, matchesPattern } from './names.ts'

export const visibilities = ['private', 'public'] as const
export type Visibility = (typeof visibilities)[number]

/**
 * What is said of repositories by whoever runs the registry. Labels here are theirs; labels inside an image are claims of whoever
 * built it, and never widen a right.
 */
export interface RepositorySettings {
  owner?: string
  contact?: string
  labels?: Record<string, string>
  environment?: string
  /** `public`: anyone may pull, through the gate. */
  visibility?: Visibility
  /** Patterns of tags that stay where they are once pushed. An empty list ends what a wider pattern says. */
  immutableTags?: string[]
}

export const settingKeys = ['owner', 'contact', 'labels', 'environment', 'visibility', 'immutableTags'] as const
export type SettingKey = (typeof settingKeys)[number]

/** Settings of every repository that matches. */
export interface RepositoryRule extends RepositorySettings {
  match: string
}

/** A key's value, and the pattern that it comes from. */
export interface ResolvedSettings {
  values: RepositorySettings
  from: Partial<Record<SettingKey, string>>
}

/**
 * Of two patterns that match one name, the more specific is that with more characters that stand for themselves; then the one
 * without `**`, then with fewer `*`. A total order, so that every node resolves alike. Sorts the most specific first.
 */
export function bySpecificity(a: { match: string }, b: { match: string }): number {
  return literals(b.match) - literals(a.match) || stars(a.match) - stars(b.match) || (a.match < b.match ? -1 : a.match > b.match ? 1 : 0)
}

function literals(pattern: string): number {
  return pattern.replaceAll('*', '').length
}

function stars(pattern: string): number {
  return pattern.split('/').reduce((sum, part) => sum + (part === '**' ? 1000 : part.split('*').length - 1), 0)
}

/** In: rules, and a repository's name. Out: each key by the most specific pattern that names it. */
export function resolveSettings(rules: readonly RepositoryRule[], name: string): ResolvedSettings {
  const values: Record<string, unknown> = {}
  const from: Partial<Record<SettingKey, string>> = {}
  for (const rule of rules.filter(({ match }) => matchesPattern(match, name)).toSorted(bySpecificity)) {
    for (const key of settingKeys) {
      if (rule[key] === undefined || from[key] !== undefined) continue
      values[key] = rule[key]
      from[key] = rule.match
    }
  }
  return { values: values as RepositorySettings, from }
}

/** A pattern of the rule that keeps this tag where it is, undefined where none does. */
export function immutableBy(patterns: readonly string[], tag: string): string | undefined {
  return patterns.find((pattern) => matchesPattern(pattern, tag))
}

/**
 * What anyone may pull, as grants: each public pattern, save what a more specific private one takes out of it.
 * In: all rules. Out: in the order of the most specific.
 */
export function publicPatterns(rules: readonly RepositoryRule[]): { pattern: string; except: string[] }[] {
  const said = rules.filter((rule) => rule.visibility !== undefined).toSorted(bySpecificity)
  return said.flatMap((rule, at) => {
    if (rule.visibility !== 'public') return []
    const except = said.slice(0, at).filter((other) => other.visibility === 'private')
    return [{ pattern: rule.match, except: except.map((other) => other.match) }]
  })
}

const mostLabels = 64
const mostTagPatterns = 64
const texts = { owner: 128, contact: 256, environment: 64 } as const

/** In: a rule as YAML or JSON has it. Out: the rule, or what is wrong with it, in words that go after "must be". */
export function readRepositoryRule(raw: unknown): { rule: RepositoryRule } | { problem: string } {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw))
    return { problem: 'a map with match and settings, such as { match: shop/**, owner: team-shop }' }
  const given = raw as Record<string, unknown>
  if (typeof given['match'] !== 'string' || !isRepositoryPattern(given['match']))
    return { problem: 'a map whose match is a repository pattern such as shop/**' }
  const rule: Record<string, unknown> = { match: given['match'] }
  for (const [key, value] of Object.entries(given)) {
    if (key === 'match') continue
    const read = readSetting(key, value)
    if ('problem' in read) return { problem: `${read.problem} (${given['match']})` }
    rule[key] = read.value
  }
  return { rule: rule as unknown as RepositoryRule }
}

function readSetting(key: string, value: unknown): { value: unknown } | { problem: string } {
  switch (key) {
    case 'owner':
    case 'contact':
    case 'environment':
      return isLine(value, texts[key]) ? { value } : { problem: `a map whose ${key} is one line of 1 to ${texts[key]} characters` }
    case 'visibility':
      return visibilities.includes(value as Visibility) ? { value } : { problem: 'a map whose visibility is private or public' }
    case 'labels':
      return isLabels(value) ? { value: { ...value } } : { problem: `a map whose labels are at most ${mostLabels} names and texts` }
    case 'immutableTags': {
      const patterns: unknown = typeof value === 'string' ? [value] : value
      return isTagPatterns(patterns)
        ? { value: patterns }
        : { problem: `a map whose immutableTags are at most ${mostTagPatterns} patterns of tags such as v*` }
    }
    default:
      return { problem: `a map of match, ${settingKeys.join(', ')}, not ${JSON.stringify(key.slice(0, 60))}` }
  }
}

function isLine(value: unknown, most: number): value is string {
  return (
    typeof value === 'string' &&
    value.length > 0 &&
    value.length <= most &&
    value.isWellFormed() &&
    !/[\p{Cc}\p{Cf}\u2028\u2029]/u.test(value)
  )
}

function isLabels(value: unknown): value is Record<string, string> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const entries = Object.entries(value)
  return (
    entries.length <= mostLabels && entries.every(([name, text]) => /^[A-Za-z0-9][A-Za-z0-9._/-]{0,62}$/.test(name) && isLine(text, 256))
  )
}

function isTagPatterns(value: unknown): value is string[] {
  return (
    Array.isArray(value) &&
    value.length <= mostTagPatterns &&
    value.every((one) => typeof one === 'string' && /^[A-Za-z0-9_.*-]{1,128}$/.test(one))
  )
}
