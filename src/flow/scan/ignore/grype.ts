import type { Place, PlacedFinding } from '../places.ts'
import { booleanAt, invalid, listAt, objectAt, textAt, type At } from './fields.ts'
import { isAtPath } from './patterns.ts'
import { hasId, type IgnoreRule } from './rule.ts'
import { parseYaml } from './yaml.ts'

const criteria = [
  'vulnerability',
  'include-aliases',
  'reason',
  'namespace',
  'fix-state',
  'package',
  'vex-status',
  'vex-justification',
  'match-type',
]
const ofPackage = ['name', 'version', 'language', 'type', 'location', 'upstream-name']
/** Conditions on what only Grype's own database and matchers know. */
const untold = ['namespace', 'vex-status', 'vex-justification', 'match-type'] as const

/**
 * The `ignore` rules of `.grype.yaml`; its other settings are Grype's own. A rule holds where all its criteria do; one with a
 * criterion that can't be told here is not used. github.com/anchore/grype, "Specifying matches to ignore".
 */
export function grypeRules(text: string, file: string): IgnoreRule[] {
  const top = parseYaml(text, file) ?? {}
  if (typeof top !== 'object' || Array.isArray(top)) throw invalid({ file, where: 'the file' }, 'is no mapping')
  const ignore = (top as Record<string, unknown>)['ignore']
  return listAt(ignore, { file, where: 'ignore' }).map((item, at) => ruleOf(item, { file, where: `ignore[${at}]` }))
}

function ruleOf(item: unknown, at: At): IgnoreRule {
  const fields = objectAt(item, criteria, at)
  const pack = objectAt(fields['package'] ?? {}, ofPackage, { ...at, where: `${at.where}.package` })
  const word = (from: Record<string, unknown>, name: string) => nonEmpty(textAt(from[name], { ...at, where: `${at.where}.${name}` }))
  const [id, fixState] = [word(fields, 'vulnerability'), word(fields, 'fix-state')]
  const aliases = booleanAt(fields['include-aliases'], { ...at, where: `${at.where}.include-aliases` }) ?? false
  const [name, version, type] = [word(pack, 'name'), word(pack, 'version'), word(pack, 'type')]
  const [location, upstream] = [word(pack, 'location'), word(pack, 'upstream-name')]
  const reason = word(fields, 'reason')
  const isName = name === undefined ? () => true : namePattern(name)
  const isUpstream = upstream === undefined ? () => true : namePattern(upstream)
  const patterns = [isName, isUpstream].find((pattern) => typeof pattern === 'string')
  const idle = patterns ?? idleness(fields, word(pack, 'language'), [id, fixState, name, version, type, location, upstream])
  return {
    file: at.file,
    name: id ?? name ?? location ?? at.where,
    ...(reason !== undefined && { reason }),
    ...(idle !== undefined && { idle }),
    finding: (finding) => (id === undefined || hasId(finding, id, aliases)) && (fixState === undefined || fixStateOf(finding) === fixState),
    place: (place, finding) =>
      holds(isName, place.name) &&
      (version === undefined || place.version === version) &&
      (type === undefined || typesOf(place).includes(type)) &&
      (location === undefined || isAtPath(place, location)) &&
      holds(isUpstream, finding.packageName),
  }
}

function idleness(fields: Record<string, unknown>, language: string | undefined, told: (string | undefined)[]): string | undefined {
  const strange = untold.find((key) => fields[key] !== undefined && fields[key] !== null && fields[key] !== '')
  if (strange !== undefined) return `${strange} can't be told here`
  if (language !== undefined) return "the language of a package can't be told here: say its type"
  return told.every((one) => one === undefined) ? 'it says no condition' : undefined
}

/** What can be said of a fix here: there is one, or none is known. */
function fixStateOf({ fixedVersion }: PlacedFinding): string {
  return fixedVersion === undefined ? 'unknown' : 'fixed'
}

/** Syft's words for kinds of packages, and ours. */
function typesOf({ kind }: Place): string[] {
  const theirs: Partial<Record<string, string>> = {
    pypi: 'python',
    maven: 'java-archive',
    golang: 'go-module',
    go: 'go-module',
    cargo: 'rust-crate',
    pacman: 'alpm',
    composer: 'php-composer',
    nuget: 'dotnet',
  }
  return [kind, ...(theirs[kind] === undefined ? [] : [theirs[kind]])]
}

/** A pattern that takes long is a way to hang a pipeline; a package has a longer name than this nowhere. */
const mostName = 256
const harmlessEscape = /\\[.+\-/dw]/g

/**
 * A name, or a pattern over the whole name, which Grype gives to Go's regexp: no run of it can take long there. Here only what can
 * take no longer than its few repetitions is taken. Out: a test, or why it is not used.
 */
function namePattern(text: string): ((name: string) => boolean) | string {
  if (/^[\w@/.+-]*$/.test(text) && !/\.[*+]/.test(text)) return (name) => name === text
  const bare = text.replaceAll(harmlessEscape, '_')
  if (text.length > 200 || bare.includes('\\') || /\)[*+{]|\(\?[^:]/.test(bare) || (bare.match(/[*+{]/g) ?? []).length > 3)
    return 'its pattern is more than is taken here: three of * + {} at most, and none behind a group'
  try {
    const pattern = new RegExp(`^(?:${text.replace(/^\^/, '').replace(/\$$/, '')})$`)
    return (name) => name.length <= mostName && pattern.test(name)
  } catch (error) {
    if (error instanceof SyntaxError) return 'its pattern is none'
    throw error
  }
}

function holds(pattern: ((name: string) => boolean) | string, name: string): boolean {
  return typeof pattern !== 'string' && pattern(name)
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text
}
