import { readRepositoryRule, settingKeys, type RepositoryRule } from '../../model/repository-settings.ts'
import { type Kind, Misfit } from './kinds.ts'

const mostRules = 1000
const line = { type: 'string', minLength: 1 }

/** `repositories`: a list of rules, each pattern once; in a variable as JSON. */
export const repositoryRules: Kind<RepositoryRule[]> = {
  schema: {
    type: 'array',
    maxItems: mostRules,
    items: {
      type: 'object',
      additionalProperties: false,
      required: ['match'],
      properties: {
        match: { ...line, description: 'a repository pattern such as shop/**' },
        owner: { ...line, maxLength: 128 },
        contact: { ...line, maxLength: 256 },
        labels: { type: 'object', additionalProperties: { ...line, maxLength: 256 }, maxProperties: 64 },
        environment: { ...line, maxLength: 64 },
        visibility: { enum: ['private', 'public'] },
        immutableTags: {
          anyOf: [
            { type: 'string', pattern: '^[A-Za-z0-9_.*-]{1,128}$' },
            { type: 'array', maxItems: 64, items: { type: 'string', pattern: '^[A-Za-z0-9_.*-]{1,128}$' } },
          ],
          description: 'patterns of tags such as v*',
        },
      },
    },
  },
  fromText: fromJson,
  read(raw) {
    if (!Array.isArray(raw)) throw new Misfit('a list of rules, such as [{ match: shop/**, owner: team-shop }]')
    if (raw.length > mostRules) throw new Misfit(`at most ${mostRules} rules, not ${raw.length}`)
    const rules = raw.map(readRule)
    const twice = rules.find((rule, at) => rules.findIndex((other) => other.match === rule.match) !== at)
    if (twice !== undefined) throw new Misfit(`a list in which each pattern stands once: ${twice.match} stands twice`)
    return rules
  },
  show: (rules) => rules.map(shownRule),
}

/** An empty variable empties the list, as it does others. */
function fromJson(text: string): unknown {
  if (text === '') return []
  try {
    return JSON.parse(text) as unknown
  } catch (error) {
    if (error instanceof SyntaxError) return text // no list: refused in words by `read`
    throw error
  }
}

function readRule(raw: unknown): RepositoryRule {
  const read = readRepositoryRule(raw)
  if ('problem' in read) throw new Misfit(`a list, each of ${read.problem}`)
  return read.rule
}

function shownRule(rule: RepositoryRule): string {
  const parts = settingKeys.flatMap((key) => (rule[key] === undefined ? [] : [`${key}=${shownValue(rule[key])}`]))
  return [rule.match, ...parts].join(' ')
}

function shownValue(value: string | string[] | Record<string, string>): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
