import { parseArgs } from 'node:util'
import { statusOf, type FetchedStatus } from '../../flow/advisories/folder.ts'
import type { UpdateReport } from '../../flow/advisories/updates.ts'
import { LazaretError } from '../../kit/errors.ts'
import { loadSettings } from '../../kit/settings/settings.ts'
import { changes } from '../advisory-changes.ts'
import { bringIn } from '../advisories/bring-in.ts'
import { exportTo, showKey } from '../advisories/export.ts'
import { revisions, rollback } from '../advisories/revisions.ts'
import { search } from '../advisories/search.ts'
import { statusText } from '../advisory-text.ts'
import { namedServer, openClient } from '../client.ts'
import { exit, type Command, type Io } from '../command.ts'
import { isFolderNamed, requireDataFolder } from '../data-folder.ts'
import { formatOption, isJson, jsonText, runSubcommand } from '../options.ts'
import { sourcesText, updateText } from '../source-text.ts'

export const advisories: Command = {
  usage:
    'import PATH…|REFERENCE [--covers ECOSYSTEM]… [--older] [--allow-unsigned] [--quiet] [--format table|json] | export FILE|REFERENCE | key | revisions | rollback REVISION | search PACKAGE[@RANGE] [--ecosystem ECOSYSTEM] [--limit 100] [--after NEXT] | update [SOURCE]… [--whole] [--format table|json] | changes [--records ID|--images ID|--image NAME] [--limit 20] [--after NEXT] [--format table|json] | status [--format table|json]',
  summary: 'Bring in what is known of flaws, and say how old it is',
  details: [
    'PATH: files and folders of OSV JSON, JSON lines or zip, lists of distributions, KEV, exports; under gzip or zstd too.',
    'Where LAZARET_DATA names a data folder they go there, beside a running server too; else to the server that is signed in to.',
    'SOURCE: osv, alpine, debian, kev, epss; those of advisories.sources where none is named. --whole reads all of it again.',
    'A signed export replaces what is there. REFERENCE: HOST/NAME:TAG in a registry; ./HOST/NAME is a file.',
    'RANGE: a version, <2.17, or >=2.0,<2.17: search says which images hold such a package.',
    'A few records do not make a release judged: --covers Alpine:v3.22 says that these are what there is to know of it (thin).',
  ],
  run: runSubcommand('advisories', {
    import: async (args, io) => bringIn(args, io, folderToUse),
    export: async (args, io) => exportTo(args, io, await folderToUse(io)),
    key: async (args, io) => showKey(args, io, await folderToUse(io)),
    revisions,
    rollback,
    search,
    update,
    changes,
    status,
  }),
}

async function status(args: string[], io: Io) {
  const { values, positionals } = parseArgs({ args, options: formatOption, strict: true, allowPositionals: true })
  if (positionals.length > 0) throw new LazaretError('USAGE', 'status takes no names')
  const asJson = isJson(values.format)
  const dataFolder = await folderToUse(io)
  const found = dataFolder === undefined ? await statusOfServer(io) : statusOf(dataFolder)
  io.out(
    asJson
      ? jsonText(found)
      : `${statusText(found, io.columns)}${found.fetched.length === 0 ? '' : `\n${sourcesText(found.fetched, io.columns)}`}`,
  )
  return exit.fine
}

/** Exits with 1 where a source failed: what was read of it before stays in force. */
async function update(args: string[], io: Io) {
  const options = { ...formatOption, whole: { type: 'boolean', default: false } } as const
  const { values, positionals: sources } = parseArgs({ args, options, strict: true, allowPositionals: true })
  const asJson = isJson(values.format)
  const { whole } = values
  const dataFolder = await folderToUse(io)
  const report = dataFolder === undefined ? await updateOfServer(sources, whole, io) : await updateHere(sources, whole, io)
  io.out(asJson ? jsonText(report) : updateText(report, io.columns))
  return report.sources.every(({ state }) => state === 'good') ? exit.fine : exit.failed
}

async function updateOfServer(source: readonly string[], whole: boolean, io: Io): Promise<UpdateReport> {
  await using client = await openClient(io, 'advisories update')
  return await client.send<UpdateReport>('POST', '/advisories/update', { query: { source, whole: String(whole) } })
}

async function updateHere(sources: readonly string[], whole: boolean, io: Io): Promise<UpdateReport> {
  const settings = loadSettings({ env: io.env, cwd: io.cwd, listens: false })
  const { updateFolder } = await import('../../flow/advisories/update-folder.ts')
  return updateFolder(settings, io.env, { sources, whole, signal: new AbortController().signal })
}

/** Out: the data folder, or undefined where a server is meant. Advisories have a lock of their own, so no server is in the way. */
async function folderToUse(io: Io): Promise<string | undefined> {
  const settings = loadSettings({ env: io.env, cwd: io.cwd, listens: false })
  if (!isFolderNamed(settings) && (await namedServer(settings, io)) !== undefined) return undefined
  await requireDataFolder(settings)
  return settings.data
}

async function statusOfServer(io: Io): Promise<FetchedStatus> {
  await using client = await openClient(io, 'advisories status')
  return await client.get<FetchedStatus>('/advisories/status')
}
