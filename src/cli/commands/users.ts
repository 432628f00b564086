import { parseArgs } from 'node:util'
import { accountSubcommands, grantOption } from '../accounts.ts'
import { openClient } from '../client.ts'
import { exit, type Command, type Io } from '../command.ts'
import { onlyOne, runSubcommand } from '../options.ts'
import { readSecret, refuseSecretArgument, secretFlags } from '../secret-input.ts'

const options = { ...secretFlags, 'password-stdin': { type: 'boolean', default: false } } as const

export const users: Command = {
  usage:
    'add NAME [--password-stdin] [--grant GRANT]… | list [--format table|json] | remove NAME | grant NAME GRANT… | revoke NAME GRANT… | password NAME [--password-stdin]',
  summary: 'Add people who sign in with a password, and say what each may do',
  details: [
    'GRANT: pull=shop/**, push=shop/api, delete=…, read-quarantined=…, or admin.',
    'A password comes on standard input, or is asked on the terminal.',
  ],
  run: runSubcommand('users', { add, password, ...accountSubcommands('user') }),
}

async function add(args: string[], io: Io) {
  const { values, positionals } = parseArgs({ args, options: { ...options, ...grantOption }, strict: true, allowPositionals: true })
  refuseSecretArgument(values)
  const name = onlyOne(positionals, 'NAME')
  const secret = await newPassword(io, name, values['password-stdin'])
  await using client = await openClient(io, 'users add')
  await client.send('POST', '/users', { body: { name, password: secret, grants: values.grant } })
  io.err(`user ${name} is added${values.grant.length === 0 ? ', without any grant yet: lazaret users grant' : ''}\n`)
  return exit.fine
}

async function password(args: string[], io: Io) {
  const { values, positionals } = parseArgs({ args, options, strict: true, allowPositionals: true })
  refuseSecretArgument(values)
  const name = onlyOne(positionals, 'NAME')
  const secret = await newPassword(io, name, values['password-stdin'])
  await using client = await openClient(io, 'users password')
  await client.send('PUT', '/users/password', { body: { name, password: secret } })
  io.err(`user ${name} has another password; tokens by the one before are ended\n`)
  return exit.fine
}

function newPassword(io: Io, name: string, fromStdin: boolean): Promise<string> {
  return readSecret(io, { fromStdin, question: `Password for ${name}`, twice: true })
}
