import { parseArgs } from 'node:util'
import { askReadiness } from '../../flow/readiness.ts'
import { loadSettings } from '../../kit/settings/settings.ts'
import { exit, type Command } from '../command.ts'
import { formatOption, isJson, jsonText } from '../options.ts'
import { table } from '../table.ts'

const mostMs = 8000

export const health: Command = {
  usage: '[--format table|json]',
  summary: 'Ask the server of these settings, on this machine, whether it is ready',
  details: [
    'Asks where it listens (listen, LAZARET_LISTEN), without signing in: for the health checks of containers and services.',
    'Ends with 0 where the server is ready or limited (pulls go on), with 1 where a part of it is failing or nothing answers.',
  ],
  async run(args, io) {
    const { values } = parseArgs({ args, options: formatOption, strict: true })
    const asJson = isJson(values.format)
    const found = await askReadiness(loadSettings({ env: io.env, cwd: io.cwd }), mostMs)
    if (asJson) io.out(jsonText(found))
    else io.out(table(['PART', 'STATE'], [...Object.entries(found.parts), ['all', found.status]], io.columns))
    return found.status === 'failing' ? exit.failed : exit.fine
  },
}
