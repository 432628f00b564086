import { parseArgs } from 'node:util'
import { LazaretError } from '../kit/errors.ts'
import { openClient } from './client.ts'
import { exit, type Io } from './command.ts'
import { formatOption, isJson, jsonText, onlyOne, type Subcommand } from './options.ts'
import { table } from './table.ts'

// What `users` and `robots` have in common.

export type Kind = 'user' | 'robot'

export interface Account {
  name: string
  grants: string[]
  createdAt: string
  expiresAt?: string
}

export const grantOption = { grant: { type: 'string', multiple: true, default: [] as string[] } } as const
const pageSize = 1000

export function accountSubcommands(kind: Kind): { list: Subcommand; remove: Subcommand; grant: Subcommand; revoke: Subcommand } {
  return {
    list: (args, io) => list(kind, args, io),
    remove: (args, io) => remove(kind, args, io),
    grant: (args, io) => changeGrants(kind, 'grant', args, io),
    revoke: (args, io) => changeGrants(kind, 'revoke', args, io),
  }
}

async function list(kind: Kind, args: string[], io: Io) {
  const { values, positionals } = parseArgs({ args, options: formatOption, strict: true, allowPositionals: true })
  if (positionals.length > 0) throw new LazaretError('USAGE', 'list takes no names')
  const asJson = isJson(values.format)
  await using client = await openClient(io, `${kind}s list`)
  const items: Account[] = []
  let after: string | undefined
  do {
    const page: { items: Account[]; next?: string } = await client.get(`/${kind}s`, { limit: pageSize, after })
    items.push(...page.items)
    after = page.next
  } while (after !== undefined)
  io.out(asJson ? jsonText({ items }) : asTable(kind, items, io))
  return exit.fine
}

function asTable(kind: Kind, accounts: Account[], io: Io): string {
  const times = kind === 'user' ? 'CREATED' : 'EXPIRES'
  const rows = accounts.map((account) => [
    account.name,
    account.grants.join('\n'),
    kind === 'user' ? minute(account.createdAt) : expiry(account.expiresAt),
  ])
  return table(['NAME', 'GRANTS', times], rows, io.columns)
}

function expiry(expiresAt: string | undefined): string {
  if (expiresAt === undefined) return 'never'
  return `${Date.parse(expiresAt) <= Date.now() ? 'expired ' : ''}${minute(expiresAt)}`
}

/** `2027-01-31 12:00`, in UTC. */
export function minute(instant: string): string {
  return instant.slice(0, 16).replace('T', ' ')
}

async function remove(kind: Kind, args: string[], io: Io) {
  const name = onlyOne(parseArgs({ args, options: {}, strict: true, allowPositionals: true }).positionals, 'NAME')
  await using client = await openClient(io, `${kind}s remove`)
  await client.send('DELETE', `/${kind}s`, { query: { name } })
  io.err(`${kind} ${name} is removed; what it was signed in with opens nothing any more\n`)
  return exit.fine
}

async function changeGrants(kind: Kind, verb: 'grant' | 'revoke', args: string[], io: Io) {
  const { values, positionals } = parseArgs({ args, options: grantOption, strict: true, allowPositionals: true })
  const [name, ...more] = positionals
  const grants = [...more, ...values.grant]
  if (name === undefined || grants.length === 0) throw new LazaretError('USAGE', `${verb} wants NAME and GRANT…`)
  await using client = await openClient(io, `${kind}s ${verb}`)
  if (verb === 'grant') await client.send('POST', `/${kind}s/grants`, { body: { name, grants } })
  else await client.send('DELETE', `/${kind}s/grants`, { query: { name, grant: grants } })
  io.err(`${kind} ${name} ${verb === 'grant' ? 'has' : 'no longer has'} ${grants.join(', ')}\n`)
  return exit.fine
}
