import { parseArgs } from 'node:util'
import { loadSettings } from '../../kit/settings/settings.ts'
import { exit, type Command } from '../command.ts'

export const serve: Command = {
  usage: '',
  summary: 'Start the registry: store, scanner, gate and API in one process tree',
  details: ['Settings come from lazaret.yaml and LAZARET_… variables: see lazaret config.'],
  async run(args, io) {
    parseArgs({ args, options: {}, strict: true })
    const read = () => loadSettings({ env: io.env, cwd: io.cwd })
    const settings = read()
    await (await import('../../serve/boot.ts')).serve(settings, read)
    return exit.fine
  },
}
