import { parseArgs } from 'node:util'
import { LazaretError } from '../../kit/errors.ts'
import { minute } from '../accounts.ts'
import { openClient } from '../client.ts'
import { exit, type Io } from '../command.ts'
import { formatOption, isJson, jsonText, onlyOne } from '../options.ts'
import { table } from '../table.ts'

interface Row {
  revision: string
  date: string
  madeAt?: string
  inForce: boolean
  origin?: { how: string; revision: string; signedBy?: string }
}

/** What can be gone back to. */
export async function revisions(args: string[], io: Io) {
  const { values, positionals } = parseArgs({ args, options: formatOption, strict: true, allowPositionals: true })
  if (positionals.length > 0) throw new LazaretError('USAGE', 'revisions takes no names')
  const asJson = isJson(values.format)
  await using client = await openClient(io, 'advisories revisions')
  const page = await client.get<{ items: Row[] }>('/advisories/revisions')
  io.out(asJson ? jsonText(page) : table(['REVISION', 'MADE', 'NEWEST DATA', 'FROM', ''], page.items.map(row), io.columns))
  return exit.fine
}

function row({ revision, madeAt, date, origin, inForce }: Row): string[] {
  const from =
    origin === undefined
      ? 'import'
      : `${origin.how} of ${origin.revision}${origin.how === 'export' && origin.signedBy === undefined ? ', unsigned' : ''}`
  return [revision, madeAt === undefined ? '' : minute(madeAt), date.slice(0, 10), from, inForce ? 'in force' : '']
}

export async function rollback(args: string[], io: Io) {
  const { positionals } = parseArgs({ args, options: {}, strict: true, allowPositionals: true })
  const revision = onlyOne(positionals, 'REVISION')
  await using client = await openClient(io, 'advisories rollback')
  const done = await client.send<{ revision: string; copied: string; before: string }>('POST', '/advisories/rollback', {
    body: { revision },
  })
  io.err(`what ${done.copied} said is in force again, as revision ${done.revision}; before it was ${done.before}\n`)
  return exit.fine
}
