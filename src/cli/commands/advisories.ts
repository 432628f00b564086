import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { parseArgs } from 'node:util'
import { importAdvisories, statusOf, type AdvisoryStatus, type ImportReport } from '../../flow/advisories/folder.ts'
import { LazaretError } from '../../kit/errors.ts'
import { loadSettings } from '../../kit/settings/settings.ts'
import { changes } from '../advisory-changes.ts'
import { reportText, statusText } from '../advisory-text.ts'
import { namedServer, openClient, type Client } from '../client.ts'
import { exit, type Command, type Io } from '../command.ts'
import { isFolderNamed, requireDataFolder } from '../data-folder.ts'
import { formatOption, isJson, jsonText, runSubcommand } from '../options.ts'
import { harmless } from '../table.ts'

export const advisories: Command = {
  usage: 'import PATH… [--covers ECOSYSTEM]… [--quiet] [--format table|json] | changes [--records ID|--images ID|--image NAME] [--limit 20] [--after NEXT] [--format table|json] | status [--format table|json]',
  summary: 'Bring in what is known of flaws, and say how old it is',
  details: [
    'PATH: files and folders of OSV JSON, JSON lines or zip, lists of distributions, KEV, exports; under gzip or zstd too.',
    'Where LAZARET_DATA names a data folder they go there, beside a running server too; else to the server that is signed in to.',
    'A few records do not make a release judged: --covers Alpine:v3.22 says that these are what there is to know of it (thin).',
  ],
  run: runSubcommand('advisories', { import: bringIn, changes, status }),
}

async function bringIn(args: string[], io: Io) {
  const { values, positionals } = parseArgs({
    args,
    options: { ...formatOption, quiet: { type: 'boolean', default: false }, covers: { type: 'string', multiple: true, default: [] } },
    strict: true,
    allowPositionals: true,
  })
  if (positionals.length === 0) throw new LazaretError('USAGE', 'PATH is missing')
  const asJson = isJson(values.format)
  const dataFolder = await folderToUse(io)
  const report =
    dataFolder === undefined
      ? await send(positionals, values.covers, io)
      : await importHere(positionals, dataFolder, values.covers, io.columns === undefined || values.quiet ? undefined : io)
  io.out(asJson ? jsonText(report) : reportText(report, io.columns))
  return exit.fine
}

async function status(args: string[], io: Io) {
  const { values, positionals } = parseArgs({ args, options: formatOption, strict: true, allowPositionals: true })
  if (positionals.length > 0) throw new LazaretError('USAGE', 'status takes no names')
  const asJson = isJson(values.format)
  const dataFolder = await folderToUse(io)
  const found = dataFolder === undefined ? await statusOfServer(io) : statusOf(dataFolder)
  io.out(asJson ? jsonText(found) : statusText(found, io.columns))
  return exit.fine
}

/** Out: the data folder, or undefined where a server is meant. Advisories have a lock of their own, so no server is in the way. */
async function folderToUse(io: Io): Promise<string | undefined> {
  const settings = loadSettings({ env: io.env, cwd: io.cwd, listens: false })
  if (!isFolderNamed(settings) && (await namedServer(settings, io)) !== undefined) return undefined
  await requireDataFolder(settings)
  return settings.data
}

async function statusOfServer(io: Io): Promise<AdvisoryStatus> {
  await using client = await openClient(io, 'advisories status')
  return await client.get<AdvisoryStatus>('/advisories/status')
}

async function send(paths: readonly string[], covers: readonly string[], io: Io): Promise<ImportReport> {
  if (covers.length > 0) throw new LazaretError('USAGE', '--covers works on the data folder: set LAZARET_DATA on the server’s machine')
  await using client = await openClient(io, 'advisories import')
  const reports: ImportReport[] = []
  for (const path of paths) reports.push(await sendFile(client, path))
  const last = reports.at(-1)
  if (last === undefined) throw new LazaretError('USAGE', 'PATH is missing')
  return {
    ...last,
    changed: reports.some((report) => report.changed),
    files: reports.flatMap((report) => report.files),
    newlyCovered: reports.flatMap((report) => report.newlyCovered),
  }
}

async function sendFile(client: Client, path: string): Promise<ImportReport> {
  const about = await stat(path).catch((cause: unknown) => {
    throw new LazaretError('INPUT_INVALID', `${path} can't be opened (${(cause as NodeJS.ErrnoException).code ?? 'unknown'})`, { cause })
  })
  if (!about.isFile())
    throw new LazaretError(
      'USAGE',
      `${path} is no file, and only files can be sent to a server: pack it, or set LAZARET_DATA on the server's machine`,
    )
  const name = basename(path)
    .replaceAll(/[^A-Za-z0-9._-]/g, '_')
    .replace(/^[.-]/, '_')
    .slice(-100)
  return client.upload<ImportReport>('/advisories/import', { name, changed: about.mtime.toISOString() }, createReadStream(path))
}

/** In: where to show progress, undefined for nowhere. */
async function importHere(
  paths: readonly string[],
  dataFolder: string,
  covers: readonly string[],
  shownOn: Io | undefined,
): Promise<ImportReport> {
  let shown = false
  const onProgress = (path: string, records: number) => {
    shownOn?.err(`\r${harmless(basename(path)).slice(0, 50)}: ${records} records`)
    shown = true
  }
  const report = await importAdvisories(paths, dataFolder, { onProgress, coverage: covers.map(vouchedFor) })
  if (shown) shownOn?.err('\n')
  return report
}

/** What the operator vouches for counts as of today, and is called thin: nobody says that it is all there is. */
function vouchedFor(ecosystem: string) {
  if (!/^[A-Za-z][A-Za-z0-9 ]*(?::[A-Za-z0-9._:-]+)?$/.test(ecosystem)) {
    throw new LazaretError('USAGE', `--covers takes an OSV ecosystem such as Alpine:v3.22, not ${JSON.stringify(ecosystem.slice(0, 60))}`)
  }
  return { ecosystem, depth: 'thin' as const, asOf: new Date().toISOString(), note: 'vouched for by the operator' }
}
