import { parseArgs } from 'node:util'
import { clearEntries, entriesIn } from '../../flow/scan/known/trim.ts'
import { exit, type Command, type Io } from '../command.ts'
import { formatOption, isJson, jsonText, runSubcommand } from '../options.ts'
import { bytesText } from '../progress.ts'
import { cacheFolderOf, knownFolderIn } from '../scan-options.ts'
import { table } from '../table.ts'

export const cache: Command = {
  usage: 'status [--format table|json] | clear',
  summary: 'Say how much is kept of layers that scan, sbom and diff read, or remove it',
  details: ['It lies in $XDG_CACHE_HOME/lazaret/layers, else ~/.cache/lazaret/layers; what was unused for the longest leaves first.'],
  run: runSubcommand('cache', {
    async status(args, io) {
      const { values } = parseArgs({ args, options: formatOption, strict: true })
      const asJson = isJson(values.format)
      const folder = folderOf(io)
      const { count, sizeBytes } = await entriesIn(folder)
      if (asJson) io.out(jsonText({ folder, entries: count, sizeBytes }))
      else io.out(table(['FOLDER', 'ENTRIES', 'SIZE'], [[folder, String(count), bytesText(sizeBytes)]], io.columns))
      return exit.fine
    },
    async clear(args, io) {
      parseArgs({ args, options: {}, strict: true })
      const { count, sizeBytes } = await clearEntries(folderOf(io))
      io.out(`removed ${count} ${count === 1 ? 'entry' : 'entries'}, ${bytesText(sizeBytes)}\n`)
      return exit.fine
    },
  }),
}

function folderOf(io: Io): string {
  return knownFolderIn(cacheFolderOf(io))
}
