import { instantAt, invalid, listAt, objectAt, textAt, textsAt, type At } from './fields.ts'
import { isAtPath, isPurl, isPurlText } from './patterns.ts'
import { hasId, type IgnoreRule } from './rule.ts'
import { parseYaml } from './yaml.ts'

const noFlaws = 'it is not about a known flaw, and nothing else is looked for here'

/**
 * `.trivyignore`: an id a line, `exp:2026-12-31` after it, comments behind `#`. The comment lines right above an id are its reason.
 * trivy.dev, "Filtering", "By Finding IDs".
 */
export function trivyRules(text: string, file: string): IgnoreRule[] {
  const rules: IgnoreRule[] = []
  let comment: string[] = []
  for (const [at, line] of text.split(/\r?\n/).entries()) {
    const [, content = '', behind] = /^([^#]*)(?:#(.*))?$/.exec(line.trim()) ?? []
    const [id, ...options] = content.trim().split(/\s+/)
    if (id === undefined || id === '') {
      comment = behind === undefined ? [] : [...comment, behind.trim()].slice(-10)
      continue
    }
    const reason = behind?.trim() ?? comment.filter((words) => words !== '').join(' ')
    rules.push(lineRule(id, options, reason.slice(0, 500), { file, where: `line ${at + 1}` }))
    comment = []
  }
  return rules
}

function lineRule(id: string, options: string[], reason: string, at: At): IgnoreRule {
  const strange = options.find((option) => !option.startsWith('exp:'))
  if (strange !== undefined) throw invalid(at, `${JSON.stringify(strange.slice(0, 60))} is not known here, but exp:2026-12-31`)
  const expires = instantAt(options.at(-1)?.slice('exp:'.length), at)
  return { ...byId(id, at.file), ...(reason !== '' && { reason }), ...(expires !== undefined && { expires }) }
}

/**
 * `.trivyignore.yaml`: vulnerabilities with paths, package URLs, a statement and an expiry; misconfigurations, secrets and licences,
 * which are named as not used.
 */
export function trivyYamlRules(text: string, file: string): IgnoreRule[] {
  const kinds = ['vulnerabilities', 'misconfigurations', 'secrets', 'licenses'] as const
  const top = objectAt(parseYaml(text, file) ?? {}, kinds, { file, where: 'the file' })
  return kinds.flatMap((kind) =>
    listAt(top[kind], { file, where: kind }).map((item, index) => {
      const rule = itemRule(item, { file, where: `${kind}[${index}]` })
      return kind === 'vulnerabilities' ? rule : { ...rule, idle: noFlaws }
    }),
  )
}

function itemRule(item: unknown, at: At): IgnoreRule {
  const fields = objectAt(item, ['id', 'paths', 'purls', 'statement', 'expired_at'], at)
  const inner = (name: string): At => ({ ...at, where: `${at.where}.${name}` })
  const id = textAt(fields['id'], inner('id'))
  if (id === undefined || id === '') throw invalid(at, 'names no id')
  const [paths, purls] = [textsAt(fields['paths'], inner('paths')), textsAt(fields['purls'], inner('purls'))]
  const strange = purls.find((purl) => !isPurlText(purl))
  if (strange !== undefined) throw invalid(inner('purls'), `${JSON.stringify(strange.slice(0, 100))} is no package URL`)
  const expires = instantAt(fields['expired_at'], inner('expired_at'))
  const reason = textAt(fields['statement'], inner('statement'))
  return {
    ...byId(id, at.file),
    ...(reason !== undefined && { reason }),
    ...(expires !== undefined && { expires }),
    place: (place) =>
      (paths.length === 0 || paths.some((glob) => isAtPath(place, glob))) &&
      (purls.length === 0 || purls.some((purl) => isPurl(place, purl))),
  }
}

/** Trivy's own checks, and names of secrets and licences, stand in the same file as flaws. */
function byId(id: string, file: string): IgnoreRule {
  const isFlaw = /^[A-Za-z][A-Za-z0-9]*-[A-Za-z0-9.:_-]*\d/.test(id) && !/^(?:AVD-|KSV|DS-|AWS-)/.test(id)
  return { file, name: id, ...(!isFlaw && { idle: noFlaws }), finding: (finding) => hasId(finding, id) }
}
