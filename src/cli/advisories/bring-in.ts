import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { parseArgs } from 'node:util'
import { bringIn as bringInHere } from '../../flow/advisories/bring-in.ts'
import { trustedKeys } from '../../flow/advisories/export-key.ts'
import type { ImportReport } from '../../flow/advisories/folder.ts'
import { LazaretError } from '../../kit/errors.ts'
import { loadSettings } from '../../kit/settings/settings.ts'
import { reportText } from '../advisory-text.ts'
import { openClient, type Client } from '../client.ts'
import { exit, type Io } from '../command.ts'
import { formatOption, isJson, jsonText, onlyOne } from '../options.ts'
import { harmless } from '../table.ts'
import { fromAnywhere } from './target.ts'

/** What of a signed export is let in all the same. */
interface Allowed {
  older: boolean
  allowUnsigned: boolean
}

interface How {
  covers: readonly string[]
  allowed: Allowed
  /** Where progress is shown, undefined for nowhere. */
  shownOn: Io | undefined
}

/** In: the words after `import`; how it is known which data folder is meant, if any. */
export async function bringIn(args: string[], io: Io, folderToUse: (io: Io) => Promise<string | undefined>) {
  const options = {
    ...formatOption,
    quiet: { type: 'boolean', default: false },
    covers: { type: 'string', multiple: true, default: [] as string[] },
    older: { type: 'boolean', default: false },
    'allow-unsigned': { type: 'boolean', default: false },
  } as const
  const { values, positionals } = parseArgs({ args, options, strict: true, allowPositionals: true })
  if (positionals.length === 0) throw new LazaretError('USAGE', 'PATH is missing')
  const asJson = isJson(values.format)
  const allowed = { older: values.older, allowUnsigned: values['allow-unsigned'] }
  const how = { covers: values.covers, allowed, shownOn: io.columns === undefined || values.quiet ? undefined : io }
  const dataFolder = await folderToUse(io)
  const report = await fromAnywhere(positionals, io, (paths) => {
    if (dataFolder === undefined) return send(paths, how, io)
    return allowed.allowUnsigned ? importAudited(paths, how, io) : importHere(paths, dataFolder, how, io)
  })
  io.out(asJson ? jsonText(report) : reportText(report, io.columns))
  return exit.fine
}

/** What nobody signed goes by the records, where the audit log is: a server that holds them is asked instead, as the error says. */
async function importAudited(paths: readonly string[], { allowed }: How, io: Io): Promise<ImportReport> {
  const path = onlyOne(paths, 'PATH with --allow-unsigned')
  const { openLocal } = await import('../local.ts')
  await using client = await openLocal(loadSettings({ env: io.env, cwd: io.cwd, listens: false }), io, 'advisories import')
  return await sendFile(client, path, allowed)
}

async function send(paths: readonly string[], { covers, allowed }: How, io: Io): Promise<ImportReport> {
  if (covers.length > 0) throw new LazaretError('USAGE', '--covers works on the data folder: set LAZARET_DATA on the server’s machine')
  await using client = await openClient(io, 'advisories import')
  const reports: ImportReport[] = []
  for (const path of paths) reports.push(await sendFile(client, path, allowed))
  const last = reports.at(-1)
  if (last === undefined) throw new LazaretError('USAGE', 'PATH is missing')
  return {
    ...last,
    changed: reports.some((report) => report.changed),
    files: reports.flatMap((report) => report.files),
    newlyCovered: reports.flatMap((report) => report.newlyCovered),
  }
}

async function sendFile(client: Client, path: string, { older, allowUnsigned }: Allowed): Promise<ImportReport> {
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
  const query = { name, changed: about.mtime.toISOString(), older: String(older), allowUnsigned: String(allowUnsigned) }
  return client.upload<ImportReport>('/advisories/import', query, createReadStream(path))
}

async function importHere(paths: readonly string[], dataFolder: string, { covers, allowed, shownOn }: How, io: Io): Promise<ImportReport> {
  let shown = false
  const onProgress = (path: string, records: number) => {
    shownOn?.err(`\r${harmless(basename(path)).slice(0, 50)}: ${records} records`)
    shown = true
  }
  const keys = await trustedKeys(loadSettings({ env: io.env, cwd: io.cwd, listens: false }))
  const report = await bringInHere(paths, dataFolder, { onProgress, coverage: covers.map(vouchedFor), trustedKeys: keys, ...allowed })
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
