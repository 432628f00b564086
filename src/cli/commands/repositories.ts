import { parseArgs } from 'node:util'
import { LazaretError } from '../../kit/errors.ts'
import { openClient, type Client } from '../client.ts'
import { exit, type Command, type Io } from '../command.ts'
import { formatOption, isJson, jsonText, onlyOne, runSubcommand } from '../options.ts'
import { table } from '../table.ts'

interface Settings {
  owner?: string
  contact?: string
  labels?: Record<string, string>
  environment?: string
  visibility?: string
  immutableTags?: string[]
}

interface Row {
  repository: string
  settings: Settings
  from: Record<string, string>
}

interface Stated {
  rule: Settings & { match: string }
  declared: boolean
  updatedBy?: string
}

const keys = ['owner', 'contact', 'labels', 'environment', 'visibility', 'immutableTags'] as const
type Key = (typeof keys)[number]
const pageSize = 1000

export const repositories: Command = {
  usage:
    'list [--rules] [--format table|json] | show NAME [--format table|json] | set PATTERN [--owner TEXT] [--contact TEXT] [--label NAME=TEXT]… [--environment TEXT] [--visibility private|public] [--immutable TAGS]… [--unset KEY]… | remove PATTERN',
  summary: 'Say whose repositories are, who may see them, and which tags stay',
  details: [
    'The most specific PATTERN wins, key by key: shop/api before shop/* before shop/** before **.',
    'TAGS is a pattern such as v* or *; --immutable "" ends what a wider pattern says. --unset owner takes a key back.',
    'list --rules shows what is set by pattern; what lazaret.yaml declares is changed there.',
  ],
  run: runSubcommand('repositories', { list, show, set, remove }),
}

async function list(args: string[], io: Io) {
  const options = { ...formatOption, rules: { type: 'boolean', default: false } } as const
  const { values } = parseArgs({ args, options, strict: true })
  const asJson = isJson(values.format)
  await using client = await openClient(io, 'repositories list')
  if (values.rules) {
    const items = await rulesOf(client)
    io.out(asJson ? jsonText({ items }) : table(['PATTERN', 'SETTINGS', 'BY'], items.map(ruleRow), io.columns))
    return exit.fine
  }
  const items = await allOf(client)
  const rows = items.map(({ repository, settings }) => [repository, wordsOf(settings).join('\n')])
  io.out(asJson ? jsonText({ items }) : table(['REPOSITORY', 'SETTINGS'], rows, io.columns))
  return exit.fine
}

async function allOf(client: Client): Promise<Row[]> {
  const items: Row[] = []
  let after: string | undefined
  do {
    const page: { items: Row[]; next?: string } = await client.get('/repositories', { limit: pageSize, after })
    items.push(...page.items)
    after = page.next
  } while (after !== undefined)
  return items
}

function ruleRow({ rule, declared, updatedBy }: Stated): string[] {
  return [rule.match, wordsOf(rule).join('\n'), declared ? 'lazaret.yaml' : (updatedBy ?? '')]
}

async function show(args: string[], io: Io) {
  const { values, positionals } = parseArgs({ args, options: formatOption, strict: true, allowPositionals: true })
  const name = onlyOne(positionals, 'NAME')
  const asJson = isJson(values.format)
  await using client = await openClient(io, 'repositories show')
  const row = await client.get<Row>('/repositories/settings', { repository: name })
  const rows = keys.flatMap((key) => (row.settings[key] === undefined ? [] : [[key, shown(row.settings[key]), row.from[key] ?? '']]))
  io.out(asJson ? jsonText(row) : table(['KEY', 'VALUE', 'FROM'], rows, io.columns))
  return exit.fine
}

async function set(args: string[], io: Io) {
  const options = {
    owner: { type: 'string' },
    contact: { type: 'string' },
    environment: { type: 'string' },
    visibility: { type: 'string' },
    label: { type: 'string', multiple: true, default: [] as string[] },
    immutable: { type: 'string', multiple: true, default: [] as string[] },
    unset: { type: 'string', multiple: true, default: [] as string[] },
  } as const
  const { values, positionals } = parseArgs({ args, options, strict: true, allowPositionals: true })
  const match = onlyOne(positionals, 'PATTERN')
  const { label, immutable, unset, ...texts } = values
  const given: Settings = {
    ...texts,
    ...(label.length === 0 ? {} : { labels: Object.fromEntries(label.map(labelOf)) }),
    ...(immutable.length === 0 ? {} : { immutableTags: immutable.filter((pattern) => pattern !== '') }),
  }
  if (Object.keys(given).length === 0 && unset.length === 0) throw new LazaretError('USAGE', 'say what to set, or --unset KEY')
  const gone = unset.map(keyOf)
  await using client = await openClient(io, 'repositories set')
  const before = (await rulesOf(client)).find(({ rule }) => rule.match === match)?.rule
  await client.send('PUT', '/repository-settings', { body: without({ ...before, ...given, match }, gone) })
  io.err(`${match} is set\n`)
  return exit.fine
}

async function remove(args: string[], io: Io) {
  const match = onlyOne(parseArgs({ args, options: {}, strict: true, allowPositionals: true }).positionals, 'PATTERN')
  await using client = await openClient(io, 'repositories remove')
  await client.send('DELETE', '/repository-settings', { query: { match } })
  io.err(`nothing is said of ${match} any more\n`)
  return exit.fine
}

async function rulesOf(client: Client): Promise<Stated[]> {
  return (await client.get<{ items: Stated[] }>('/repository-settings')).items
}

function labelOf(text: string): [string, string] {
  const at = text.indexOf('=')
  if (at < 1) throw new LazaretError('USAGE', `--label wants NAME=TEXT, not ${JSON.stringify(text.slice(0, 60))}`)
  return [text.slice(0, at), text.slice(at + 1)]
}

function keyOf(text: string): Key {
  const key = keys.find((one) => one === text)
  if (key === undefined) throw new LazaretError('USAGE', `--unset is one of ${keys.join(', ')}, not ${JSON.stringify(text.slice(0, 60))}`)
  return key
}

function without(rule: Settings & { match: string }, gone: readonly Key[]): object {
  return Object.fromEntries(Object.entries(rule).filter(([key]) => !gone.some((one) => one === key)))
}

function wordsOf(settings: Settings): string[] {
  return keys.flatMap((key) => (settings[key] === undefined ? [] : [`${key} ${shown(settings[key])}`]))
}

function shown(value: string | string[] | Record<string, string>): string {
  if (typeof value === 'string') return value
  if (Array.isArray(value)) return value.length === 0 ? '(none)' : value.join(', ')
  return Object.entries(value)
    .map(([name, text]) => `${name}=${text}`)
    .join(', ')
}
