import { parseArgs } from 'node:util'
import { LazaretError } from '../../kit/errors.ts'
import { minute } from '../accounts.ts'
import { openClient } from '../client.ts'
import { exit, type Command, type Io } from '../command.ts'
import { formatOption, isJson, jsonText, runSubcommand } from '../options.ts'
import { table } from '../table.ts'

interface Page {
  items: { id: number; kind: string; subject: string; state: string; attempts: number; createdAt: string; problem?: string }[]
  next?: string
  counts: { waiting: number; running: number; failed: number }
}

export const jobs: Command = {
  usage: 'list [--state waiting|running|failed] [--kind KIND] [--limit 100] [--after ID] [--format table|json]',
  summary: 'List what the server has to do, and what it could not do',
  run: runSubcommand('jobs', { list }),
}

async function list(args: string[], io: Io) {
  const options = {
    ...formatOption,
    state: { type: 'string' },
    kind: { type: 'string' },
    limit: { type: 'string', default: '100' },
    after: { type: 'string' },
  } as const
  const { values, positionals } = parseArgs({ args, options, strict: true, allowPositionals: true })
  if (positionals.length > 0) throw new LazaretError('USAGE', 'list takes no names')
  const asJson = isJson(values.format)
  await using client = await openClient(io, 'jobs list')
  const page = await client.get<Page>('/jobs', { state: values.state, kind: values.kind, limit: values.limit, after: values.after })
  if (asJson) io.out(jsonText(page))
  else print(page, io)
  return exit.fine
}

function print({ items, next, counts }: Page, io: Io): void {
  io.out(`${counts.waiting} waiting, ${counts.running} running, ${counts.failed} failed\n`)
  if (items.length > 0) io.out(`\n${table(['ID', 'STATE', 'KIND', 'TRIES', 'SINCE', 'SUBJECT AND PROBLEM'], items.map(row), io.columns)}`)
  if (next !== undefined) io.err(`there are more: --after ${next}\n`)
}

function row(job: Page['items'][number]): string[] {
  return [
    String(job.id),
    job.state,
    job.kind,
    String(job.attempts),
    minute(job.createdAt),
    job.problem === undefined ? job.subject : `${job.subject}\n${job.problem}`,
  ]
}
