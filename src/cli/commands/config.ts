import { parseArgs } from 'node:util'
import { describeSettings, loadSettings, settingRows } from '../../kit/settings/settings.ts'
import { exit, type Command } from '../command.ts'
import { formatOption, isJson, jsonText } from '../options.ts'
import { table } from '../table.ts'

export const config: Command = {
  usage: '[--format table|json]',
  summary: 'Print the settings in force and where each came from, secrets masked',
  async run(args, io) {
    const { values } = parseArgs({ args, options: formatOption, strict: true })
    const asJson = isJson(values.format)
    const described = describeSettings(loadSettings({ env: io.env, cwd: io.cwd }))
    io.out(asJson ? jsonText(described) : table(['SETTING', 'VALUE', 'FROM'], settingRows(described), io.columns))
    return exit.fine
  },
}
