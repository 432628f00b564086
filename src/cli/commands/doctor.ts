import { parseArgs } from 'node:util'
import { examineInstallation, type Diagnosis } from '../../flow/doctor.ts'
import { LazaretError } from '../../kit/errors.ts'
import { loadSettings } from '../../kit/settings/settings.ts'
import { lazaretVersion } from '../../serve/version.ts'
import { exit, type Command, type Io } from '../command.ts'
import { formatOption, isJson, jsonText } from '../options.ts'
import { table } from '../table.ts'

export const doctor: Command = {
  usage: '[--format table|json]',
  summary: 'Say what is wrong with this installation, and how to mend it',
  details: [
    'Reads only, beside a running server and without one; run it as the user that serves, with the same settings.',
    'Ends with 1 where something is wrong; a warning or a note is no reason.',
  ],
  async run(args, io) {
    const { values } = parseArgs({ args, options: formatOption, strict: true })
    const asJson = isJson(values.format)
    const found = await examine(io)
    const wrong = found.filter(({ standing }) => standing === 'wrong').length
    if (asJson) io.out(jsonText({ wrong, found }))
    else print(found, wrong, io)
    return wrong > 0 ? exit.failed : exit.fine
  },
}

/** Settings that can't be read are a finding too, and the only one that there can be. */
async function examine(io: Io): Promise<Diagnosis[]> {
  try {
    const settings = loadSettings({ env: io.env, cwd: io.cwd })
    return await examineInstallation({ settings, named: settings.server, version: lazaretVersion, now: Date.now, env: io.env })
  } catch (error) {
    if (!(error instanceof LazaretError) || error.code !== 'SETTING_INVALID') throw error
    return [{ check: 'settings', standing: 'wrong', says: error.message, remedy: 'correct it where it says; docs/settings.md lists them' }]
  }
}

function print(found: Diagnosis[], wrong: number, io: Io): void {
  const rows = found.map(({ check, standing, says, remedy }) => [
    check,
    standing,
    remedy === undefined ? says : `${says}\nTo mend it: ${remedy}`,
  ])
  io.out(table(['CHECK', 'STANDS', 'WHAT WAS FOUND'], rows, io.columns))
  io.out(wrong === 0 ? '\nNothing is wrong.\n' : `\n${wrong === 1 ? 'One thing is' : `${wrong} things are`} wrong.\n`)
}
