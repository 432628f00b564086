import { parseArgs } from 'node:util'
import { exit, type Command } from '../command.ts'
import { forgetLogin, keptServer } from '../login-store.ts'
import { serverOf } from './login.ts'

export const logout: Command = {
  usage: '[SERVER]',
  summary: 'Forget what login kept, for Docker too',
  async run(args, io) {
    const { positionals } = parseArgs({ args, options: {}, strict: true, allowPositionals: true })
    const server = serverOf(positionals, io, await keptServer(io.env))
    io.err((await forgetLogin(server, io.env)) ? `signed out of ${server}\n` : `nothing was kept for ${server}\n`)
    return exit.fine
  },
}
