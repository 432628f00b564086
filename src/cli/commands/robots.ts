import { parseArgs } from 'node:util'
import { accountSubcommands, grantOption, minute } from '../accounts.ts'
import { openClient } from '../client.ts'
import { exit, type Command, type Io } from '../command.ts'
import { onlyOne, runSubcommand } from '../options.ts'

export const robots: Command = {
  usage: 'add NAME [--grant GRANT]… [--expires 90d] | list [--format table|json] | remove NAME | grant NAME GRANT… | revoke NAME GRANT…',
  summary: 'Add programs that sign in with a token, and say what each may do',
  details: [
    'add prints the token alone, this once. It is the password of NAME, or LAZARET_TOKEN by itself.',
    'GRANT: pull=shop/**, push=shop/api, delete=…, read-quarantined=…, or admin.',
    '--expires: 30m, 12h, 90d, 4w, or an instant such as 2027-01-31T12:00:00Z; without it, never.',
  ],
  run: runSubcommand('robots', { add, ...accountSubcommands('robot') }),
}

async function add(args: string[], io: Io) {
  const { values, positionals } = parseArgs({
    args,
    options: { ...grantOption, expires: { type: 'string' } },
    strict: true,
    allowPositionals: true,
  })
  const name = onlyOne(positionals, 'NAME')
  await using client = await openClient(io, 'robots add')
  const body = { name, grants: values.grant, ...(values.expires === undefined ? {} : { expires: values.expires }) }
  const made = await client.send<{ token: string; expiresAt?: string }>('POST', '/robots', { body })
  io.err(
    `robot ${name} is added; its token, shown this once, ${made.expiresAt === undefined ? 'does not expire' : `is good until ${minute(made.expiresAt)} UTC`}:\n`,
  )
  io.out(`${made.token}\n`)
  return exit.fine
}
