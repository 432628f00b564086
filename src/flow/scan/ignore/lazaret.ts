import type { Place, PlacedFinding } from '../places.ts'
import { instantAt, invalid, listAt, objectAt, textAt, textsAt, type At } from './fields.ts'
import { isAtPath, isPurl, isPurlText } from './patterns.ts'
import { hasId, type IgnoreRule } from './rule.ts'
import { parseYaml } from './yaml.ts'

/**
 * Our own form. A reason is a must; without an id a rule holds for every flaw of what it names, save malicious packages.
 *
 *     ignore:
 *       - id: CVE-2024-1234            any id of the flaw
 *         package: minimist            by its own name or that of its source
 *         version: 1.2.5
 *         purls: [pkg:npm/minimist]
 *         paths: ["srv/legacy/**"]
 *         reason: not reachable        a must
 *         expires: 2026-12-31          from the beginning of that day it ignores nothing
 *
 * Throws SETTING_INVALID with the place of what is wrong.
 */
export function lazaretRules(text: string, file: string): IgnoreRule[] {
  const top = objectAt(parseYaml(text, file) ?? {}, ['ignore'], { file, where: 'the file' })
  return listAt(top['ignore'], { file, where: 'ignore' }).map((item, at) => ruleOf(item, { file, where: `ignore[${at}]` }))
}

function ruleOf(item: unknown, at: At): IgnoreRule {
  const fields = objectAt(item, ['id', 'package', 'version', 'purls', 'paths', 'reason', 'expires'], at)
  const inner = (name: string): At => ({ ...at, where: `${at.where}.${name}` })
  const text = (name: string) => textAt(fields[name], inner(name))
  const [id, name, version] = [text('id'), text('package'), text('version')]
  const [purls, paths] = [textsAt(fields['purls'], inner('purls')), textsAt(fields['paths'], inner('paths'))]
  const reason = text('reason')?.trim() ?? ''
  if (reason === '') throw invalid(at, 'says no reason')
  if (id === undefined && name === undefined && purls.length === 0) throw invalid(at, 'names no id, no package and no purls')
  const strange = purls.find((purl) => !isPurlText(purl))
  if (strange !== undefined) throw invalid(inner('purls'), `${JSON.stringify(strange.slice(0, 100))} is no package URL`)
  const expires = instantAt(fields['expires'], inner('expires'))
  return {
    file: at.file,
    name: id ?? name ?? purls[0] ?? at.where,
    reason,
    ...(expires !== undefined && { expires }),
    finding: (finding) => (id === undefined ? !finding.malicious : hasId(finding, id)),
    place: (place, finding) =>
      (name === undefined || isNamed(place, finding, name)) &&
      (version === undefined || place.version === version || finding.packageVersion === version) &&
      (purls.length === 0 || purls.some((purl) => isPurl(place, purl))) &&
      (paths.length === 0 || paths.some((glob) => isAtPath(place, glob))),
  }
}

function isNamed(place: Place, finding: PlacedFinding, name: string): boolean {
  return place.name === name || finding.packageName === name
}
