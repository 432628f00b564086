import { parseArgs } from 'node:util'
import { LazaretError } from '../../kit/errors.ts'
import { minute } from '../accounts.ts'
import { openClient, type Client } from '../client.ts'
import { exit, type Command, type Io } from '../command.ts'
import { formatOption, isJson, jsonText, onlyOne, runSubcommand } from '../options.ts'
import { table } from '../table.ts'

interface Move {
  at: string
  by: string
  way: string
  from?: string
  to?: string
  restorable: boolean
}

export const tags: Command = {
  usage: 'history NAME:TAG [--limit 100] [--after ID] [--format table|json] | restore NAME:TAG --to DIGEST',
  summary: 'Say where a tag pointed, and put it back',
  details: ['A tag can be put back to any digest that it had, while the repository holds it. An immutable tag stays where it is.'],
  run: runSubcommand('tags', { history, restore }),
}

async function history(args: string[], io: Io) {
  const options = { ...formatOption, limit: { type: 'string', default: '100' }, after: { type: 'string' } } as const
  const { values, positionals } = parseArgs({ args, options, strict: true, allowPositionals: true })
  const image = onlyOne(positionals, 'NAME:TAG')
  const asJson = isJson(values.format)
  await using client = await openClient(io, 'tags history')
  const query = { image: withoutHost(image, client), limit: values.limit, after: values.after }
  const page = await client.get<{ items: Move[]; next?: string }>('/tags/history', query)
  io.out(asJson ? jsonText(page) : table(['WHEN', 'BY', 'WAY', 'TO', ''], page.items.map(row), io.columns))
  if (page.next !== undefined && !asJson) io.err(`there are more: --after ${page.next}\n`)
  return exit.fine
}

function row(move: Move): string[] {
  return [minute(move.at), move.by, move.way, move.to ?? '(taken away)', move.to === undefined || move.restorable ? '' : 'gone']
}

async function restore(args: string[], io: Io) {
  const { values, positionals } = parseArgs({ args, options: { to: { type: 'string' } }, strict: true, allowPositionals: true })
  const image = onlyOne(positionals, 'NAME:TAG')
  if (values.to === undefined) throw new LazaretError('USAGE', 'restore wants --to DIGEST: lazaret tags history names them')
  await using client = await openClient(io, 'tags restore')
  const body = { image: withoutHost(image, client), to: values.to }
  const done = await client.send<{ image: string; digest: string; from?: string }>('POST', '/tags/restore', { body })
  io.err(`${done.image} is ${done.digest} again${done.from === undefined ? '' : `, and no longer ${done.from}`}\n`)
  return exit.fine
}

/** `localhost:5000/shop/api:1` is `shop/api:1` on that server. */
function withoutHost(image: string, client: Client): string {
  const host = `${new URL(client.server).host}/`
  return image.startsWith(host) ? image.slice(host.length) : image
}
