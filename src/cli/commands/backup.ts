import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { loadSettings } from '../../kit/settings/settings.ts'
import { exit, type Command, type ExitCode, type Io } from '../command.ts'
import { requireDataFolder } from '../data-folder.ts'
import { onlyOne } from '../options.ts'
import { bytesText, progressLine } from '../progress.ts'

const mostShown = 100

export const backup: Command = {
  usage: 'TARGET | --verify TARGET',
  summary: 'Copy records, blobs and keys, while the server serves; or verify such a copy',
  details: [
    'TARGET: a folder, where later backups copy only new blobs, or an archive that ends in .tar or .tar.zst.',
    'It runs where the data folder is, as its user, beside the server or without one. lazaret.yaml is yours to keep.',
    '--verify reads all of it, and says what is wrong.',
  ],
  async run(args, io) {
    const options = { verify: { type: 'boolean', default: false } } as const
    const { values, positionals } = parseArgs({ args, options, strict: true, allowPositionals: true })
    const target = resolve(io.cwd, onlyOne(positionals, 'TARGET'))
    return values.verify ? verify(target, io) : take(target, io)
  },
}

async function take(target: string, io: Io): Promise<ExitCode> {
  const settings = loadSettings({ env: io.env, cwd: io.cwd, listens: false })
  await requireDataFolder(settings)
  const { backUp } = await import('../../flow/backup.ts')
  const { default: about } = await import('../../../package.json', { with: { type: 'json' } })
  const line = progressLine(io)
  try {
    const { manifest, copied } = await backUp(settings, target, {
      version: about.version,
      onProgress: ({ blobs, ofBlobs, bytes, ofBytes }) =>
        line.show(`${blobs} of ${ofBlobs} blobs, ${bytesText(bytes)} of ${bytesText(ofBytes)}`),
    })
    line.end()
    const { counts, damaged } = manifest
    io.out(`${target} is whole: ${contents(counts)}; ${copied.blobs} blobs were new (${bytesText(copied.bytes)})\n`)
    return reportDamaged(damaged, io)
  } catch (error) {
    line.end()
    throw error
  }
}

async function verify(target: string, io: Io): Promise<ExitCode> {
  const { verifyBackup } = await import('../../flow/backup.ts')
  const line = progressLine(io)
  const { manifest, problems } = await verifyBackup(target, ({ blobs, bytes }) => line.show(`${blobs} blobs, ${bytesText(bytes)}`)).finally(
    line.end,
  )
  for (const problem of problems.slice(0, mostShown)) io.err(`${problem}\n`)
  if (problems.length > mostShown) io.err(`and ${problems.length - mostShown} more\n`)
  if (manifest === undefined || problems.length > 0) {
    io.err(`lazaret: ${target} is not whole\n`)
    return exit.failed
  }
  io.out(`${target} is whole: ${contents(manifest.counts)}, of ${manifest.takenAt}, by Lazaret ${manifest.version}\n`)
  return reportDamaged(manifest.damaged, io)
}

export function contents(counts: { repositories: number; manifests: number; tags: number; blobs: number; blobBytes: number }): string {
  const { repositories, manifests, tags, blobs, blobBytes } = counts
  return `${repositories} repositories, ${tags} tags, ${manifests} manifests, ${blobs} blobs (${bytesText(blobBytes)})`
}

/** They were damaged in the store already: what holds them is denied, there and after a restore. */
function reportDamaged(damaged: { digest: string; problem: string }[], io: Io): ExitCode {
  for (const { digest, problem } of damaged.slice(0, mostShown)) io.err(`${digest} is damaged in the store, and left out: ${problem}\n`)
  if (damaged.length === 0) return exit.fine
  io.err(`lazaret: without ${damaged.length} damaged blobs: push them again\n`)
  return exit.failed
}
