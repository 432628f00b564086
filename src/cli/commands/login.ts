import { parseArgs } from 'node:util'
import { LazaretError } from '../../kit/errors.ts'
import { createOutgoing, type Outgoing } from '../../kit/outgoing/outgoing.ts'
import { loadSettings } from '../../kit/settings/settings.ts'
import { basic, clientOver } from '../client.ts'
import { exit, type Command, type Io } from '../command.ts'
import { keepLogin } from '../login-store.ts'
import { httpExchange } from '../remote.ts'
import { askLine, readSecret, refuseSecretArgument, secretFlags } from '../secret-input.ts'
import { isPlainHttp, parseServer } from '../server-argument.ts'

const options = { ...secretFlags, username: { type: 'string', short: 'u' }, 'password-stdin': { type: 'boolean', default: false } } as const

export const login: Command = {
  usage: '[SERVER] [-u NAME] [--password-stdin]',
  summary: 'Sign in to a server, for this command and for Docker',
  details: [
    'Credentials are kept where Docker keeps them: by its credential helper where one is configured, else in config.json.',
    'Commands ask the server of the last login, unless LAZARET_SERVER names another. A robot signs in with its token as password.',
  ],
  async run(args, io) {
    const { values, positionals } = parseArgs({ args, options, strict: true, allowPositionals: true })
    refuseSecretArgument(values)
    const server = serverOf(positionals, io)
    if (isPlainHttp(server)) io.err(`lazaret: ${server} is asked without TLS: whoever listens on the way reads the password\n`)
    const username = values.username ?? (await askLine(io, 'Name: ', 'no name: use -u NAME'))
    if (username === '' || username.includes(':')) throw new LazaretError('USAGE', 'a name is not empty, and has no colon')
    const password = await readSecret(io, { fromStdin: values['password-stdin'], question: `Password of ${username}` })
    const outgoing = createOutgoing(loadSettings({ env: io.env, cwd: io.cwd, listens: false }), io.env)
    const self = await check(server, username, password, outgoing)
    const kept = await keepLogin({ server, username, password }, io.env)
    io.err(
      `signed in to ${server} as the ${self.kind} ${self.name}\n${'helper' in kept ? `kept by docker-credential-${kept.helper}` : `kept in ${kept.file}, mode 0600; no credential helper is configured there`}\n`,
    )
    return exit.fine
  },
}

export function serverOf(positionals: readonly string[], io: Io, otherwise?: string): string {
  const [server, extra] = positionals
  if (extra !== undefined) throw new LazaretError('USAGE', 'one SERVER is wanted')
  const named =
    server === undefined ? (loadSettings({ env: io.env, cwd: io.cwd, listens: false }).server ?? otherwise) : parseServer(server)
  if (named === undefined) throw new LazaretError('USAGE', 'SERVER is missing, and LAZARET_SERVER names none')
  return named
}

/** Nothing is kept that does not open anything. Throws the server's problem. */
async function check(server: string, username: string, password: string, outgoing: Outgoing): Promise<{ kind: string; name: string }> {
  const self = await clientOver(server, httpExchange(server, basic(username, password), outgoing)).get<{ kind?: unknown; name?: unknown }>(
    '/self',
  )
  if ((self.kind !== 'user' && self.kind !== 'robot') || self.name !== username)
    throw new LazaretError('UNAVAILABLE', `${server} does not answer as Lazaret does`)
  return { kind: self.kind, name: self.name }
}
