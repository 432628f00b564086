import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { loadSettings } from '../../kit/settings/settings.ts'
import { exit, type Command } from '../command.ts'
import { requireDataFolder } from '../data-folder.ts'
import { onlyOne } from '../options.ts'
import { bytesText, progressLine } from '../progress.ts'
import { contents } from './backup.ts'

export const restore: Command = {
  usage: 'SOURCE',
  summary: 'Put a backup into an empty data folder, each byte checked',
  details: [
    'SOURCE: a folder or an archive of lazaret backup. The data folder (LAZARET_DATA) must be empty or missing, and so must the database be',
    'where LAZARET_DATABASE names one; a backup of either database goes into either.',
  ],
  async run(args, io) {
    const { positionals } = parseArgs({ args, options: {}, strict: true, allowPositionals: true })
    const source = resolve(io.cwd, onlyOne(positionals, 'SOURCE'))
    const settings = loadSettings({ env: io.env, cwd: io.cwd, listens: false })
    await requireDataFolder(settings)
    const flow = await import('../../flow/backup.ts')
    const line = progressLine(io)
    const manifest = await flow
      .restore(settings, source, ({ blobs, bytes }) => line.show(`${blobs} blobs, ${bytesText(bytes)}`))
      .finally(line.end)
    io.out(`${settings.data} holds the backup of ${manifest.takenAt}: ${contents(manifest.counts)}\n`)
    return exit.fine
  },
}
