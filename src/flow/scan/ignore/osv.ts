import type { PlacedFinding } from '../places.ts'
import { booleanAt, instantAt, invalid, listAt, objectAt, textAt, type At } from './fields.ts'
import { hasId, type IgnoreRule } from './rule.ts'
import { parseToml } from './toml.ts'

const known = ['IgnoredVulns', 'PackageOverrides', 'GoVersionOverride']
const ofOverride = ['name', 'version', 'ecosystem', 'group', 'ignore', 'vulnerability', 'license', 'effectiveUntil', 'reason']

/**
 * `osv-scanner.toml`: flaws that are ignored, with an instant until which, and packages whose flaws are.
 * google.github.io/osv-scanner/configuration.
 */
export function osvRules(text: string, file: string): IgnoreRule[] {
  const top = objectAt(parseToml(text, file), known, { file, where: 'the file' })
  const flaws = listAt(top['IgnoredVulns'], { file, where: 'IgnoredVulns' })
  const overrides = listAt(top['PackageOverrides'], { file, where: 'PackageOverrides' })
  return [
    ...flaws.map((item, at) => flawRule(item, { file, where: `IgnoredVulns[${at}]` })),
    ...overrides.map((item, at) => packageRule(item, { file, where: `PackageOverrides[${at}]` })),
  ]
}

function flawRule(item: unknown, at: At): IgnoreRule {
  const fields = objectAt(item, ['id', 'ignoreUntil', 'reason'], at)
  const id = textAt(fields['id'], { ...at, where: `${at.where}.id` })
  if (id === undefined || id === '') throw invalid(at, 'names no id')
  return { file: at.file, name: id, ...reasonAndEnd(fields, 'ignoreUntil', at), finding: (finding) => hasId(finding, id) }
}

function packageRule(item: unknown, at: At): IgnoreRule {
  const fields = objectAt(item, ofOverride, at)
  const inner = (name: string): At => ({ ...at, where: `${at.where}.${name}` })
  const text = (name: string) => textAt(fields[name], inner(name))
  const [name, version, ecosystem] = [text('name'), text('version'), text('ecosystem')]
  const vulnerability = objectAt(fields['vulnerability'] ?? {}, ['ignore'], inner('vulnerability'))
  const ignores =
    booleanAt(fields['ignore'], inner('ignore')) === true || booleanAt(vulnerability['ignore'], inner('vulnerability')) === true
  const idle = !ignores
    ? 'it ignores no flaws'
    : fields['group'] !== undefined
      ? "a group of dependencies can't be told in an image"
      : undefined
  return {
    file: at.file,
    name: name ?? ecosystem ?? at.where,
    ...reasonAndEnd(fields, 'effectiveUntil', at),
    ...(idle !== undefined && { idle }),
    // Whole packages are passed over, save those that are malicious themselves.
    finding: (finding) => !finding.malicious && (ecosystem === undefined || isOf(finding, ecosystem)),
    place: (place, finding) =>
      (name === undefined || place.name === name || finding.packageName === name) &&
      (version === undefined || version === '' || place.version === version || finding.packageVersion === version),
  }
}

function reasonAndEnd(fields: Record<string, unknown>, end: string, at: At): Pick<IgnoreRule, 'reason' | 'expires'> {
  const reason = textAt(fields['reason'], { ...at, where: `${at.where}.reason` })?.trim()
  const expires = instantAt(fields[end], { ...at, where: `${at.where}.${end}` })
  return { ...(reason !== undefined && { reason }), ...(expires !== undefined && { expires }) }
}

function isOf({ ecosystem }: PlacedFinding, wanted: string): boolean {
  return ecosystem === wanted || ecosystem.split(':', 1)[0] === wanted
}
