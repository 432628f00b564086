import { parseArgs } from 'node:util'
import { LazaretError } from '../../kit/errors.ts'
import { minute } from '../accounts.ts'
import { openClient, type Client } from '../client.ts'
import { exit, type Command, type Io } from '../command.ts'
import { formatOption, isJson, jsonText, onlyOne } from '../options.ts'
import { table } from '../table.ts'

interface Run {
  id: number
  state: 'running' | 'ended' | 'broken'
  dryRun: boolean
  freed: { links: number; manifests: number; blobs: number; uploads: number; objects: number; bytes: number }
  problem?: string
}

interface Deleted {
  repository: string
  digest: string
  tags: string[]
  deletedAt: string
  deletedBy: string
}

const waitSeconds = 20

export const gc: Command = {
  usage:
    '[--dry-run] [--format table|json] | deleted [--repository NAME] [--format table|json] | undo REPOSITORY@DIGEST [--format table|json]',
  summary: 'Free what nothing needs any more, or put back what was deleted by mistake',
  details: [
    'It runs while the server serves, and by itself every gc.intervalSeconds. --dry-run counts, and frees nothing.',
    'undo: a deleted manifest, with its tags, until gc.graceSeconds after its deletion; deleted lists them.',
  ],
  run: (args, io) => {
    const [word, ...rest] = args
    if (word === undefined || word.startsWith('-')) return collect(args, io)
    if (word === 'deleted') return deleted(rest, io)
    if (word === 'undo') return undo(rest, io)
    throw new LazaretError('USAGE', `there is no gc ${JSON.stringify(word.slice(0, 40))}: deleted, undo, or nothing to collect`)
  },
}

async function collect(args: string[], io: Io) {
  const { values } = parseArgs({ args, options: { ...formatOption, 'dry-run': { type: 'boolean', default: false } }, strict: true })
  const asJson = isJson(values.format)
  await using client = await openClient(io, 'gc')
  const run = await untilEnded(client, values['dry-run'])
  if (asJson) io.out(jsonText(run))
  else print(run, io)
  if (run.state === 'ended') return exit.fine
  io.err(`the collection broke off: ${run.problem ?? 'the server does not say why'}; what it freed by then is freed\n`)
  return exit.failed
}

async function untilEnded(client: Client, dryRun: boolean): Promise<Run> {
  let run = await client.send<Run>('POST', '/gc', { query: { dryRun: String(dryRun), wait: waitSeconds } })
  while (run.state === 'running') {
    const { items } = await client.get<{ items: Run[] }>('/gc', { id: run.id, wait: waitSeconds })
    run = items[0] ?? run
  }
  return run
}

function print({ dryRun, freed }: Run, io: Io): void {
  const rows = [
    ['blobs', String(freed.blobs)],
    ['manifests', String(freed.manifests)],
    ['links of repositories to blobs', String(freed.links)],
    ['uploads that nobody ended', String(freed.uploads)],
    ['files', String(freed.objects)],
    ['bytes', String(freed.bytes)],
  ]
  io.out(table([dryRun ? 'WOULD BE FREED' : 'FREED', 'COUNT'], rows, io.columns))
}

async function deleted(args: string[], io: Io) {
  const { values } = parseArgs({ args, options: { ...formatOption, repository: { type: 'string' } }, strict: true })
  const asJson = isJson(values.format)
  await using client = await openClient(io, 'gc deleted')
  const page = await client.get<{ items: Deleted[] }>('/gc/deleted', { repository: values.repository, limit: 1000 })
  if (asJson) io.out(jsonText(page))
  else {
    const rows = page.items.map((one) => [`${one.repository}@${one.digest}`, one.tags.join(', '), minute(one.deletedAt), one.deletedBy])
    io.out(table(['MANIFEST', 'TAGS', 'DELETED', 'BY'], rows, io.columns))
  }
  return exit.fine
}

async function undo(args: string[], io: Io) {
  const { values, positionals } = parseArgs({ args, options: formatOption, strict: true, allowPositionals: true })
  const asJson = isJson(values.format)
  const name = onlyOne(positionals, 'REPOSITORY@DIGEST')
  const at = name.indexOf('@')
  if (at <= 0) throw new LazaretError('USAGE', 'name what to put back as REPOSITORY@DIGEST: lazaret gc deleted')
  await using client = await openClient(io, 'gc undo')
  const body = { repository: name.slice(0, at), digest: name.slice(at + 1) }
  const back = await client.send<{ tags: string[] }>('POST', '/gc/undo', { body })
  if (asJson) io.out(jsonText(back))
  else io.out(`${name} is back${back.tags.length === 0 ? ', without a tag' : `, tagged ${back.tags.join(', ')}`}\n`)
  return exit.fine
}
