import { parseArgs } from 'node:util'
import { LazaretError } from '../../kit/errors.ts'
import { describeSettings, loadSettings, settingsTable } from '../../kit/settings/settings.ts'
import { exit, type Command } from '../command.ts'

export const config: Command = {
  usage: '[--format table|json]',
  summary: 'Print the settings in force and where each came from, secrets masked',
  async run(args, io) {
    const { values } = parseArgs({ args, options: { format: { type: 'string', default: 'table' } }, strict: true })
    const described = describeSettings(loadSettings({ env: io.env, cwd: io.cwd }))
    if (values.format !== 'table' && values.format !== 'json') throw new LazaretError('USAGE', `--format is table or json, not ${values.format}`)
    io.out(values.format === 'json' ? `${JSON.stringify(described, null, 2)}\n` : settingsTable(described))
    return exit.fine
  },
}
