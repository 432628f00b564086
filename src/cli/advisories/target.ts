import { mkdtemp, rm } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ImportReport } from '../../flow/advisories/folder.ts'
import { LazaretError } from '../../kit/errors.ts'
import { createOutgoing } from '../../kit/outgoing/outgoing.ts'
import { loadSettings } from '../../kit/settings/settings.ts'
import type { Io } from '../command.ts'
import { credentialsFor } from '../scan-options.ts'

/**
 * Whether a word names a repository of a registry rather than a file: it has a host before its first slash, and is no file here.
 * `./registry.example/x` is always a file.
 */
export function isReference(text: string): boolean {
  const slash = text.indexOf('/')
  const host = slash > 0 ? text.slice(0, slash) : ''
  return (/^[A-Za-z0-9[].*[.:]/.test(host) || host === 'localhost') && !existsSync(text)
}

/** How registries are reached. Throws UNAVAILABLE where nothing may be. */
export function registryWay(io: Io) {
  const settings = loadSettings({ env: io.env, cwd: io.cwd, listens: false })
  if (settings.offline) throw new LazaretError('UNAVAILABLE', 'no registry is asked, as this is offline (LAZARET_OFFLINE)')
  return { outgoing: createOutgoing(settings, io.env), credentialsFor: (registry: string) => credentialsFor(registry, io) }
}

/** A path for a file that is gone afterwards. */
export async function temporaryFile<T>(name: string, work: (path: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'lazaret-advisories-'))
  try {
    return await work(join(folder, name))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/**
 * In: paths, or one reference of a registry. Out: what the work makes of the paths; the artifact of a reference lies in a file until
 * then, and the report calls it as it was asked for.
 */
export async function fromAnywhere(
  words: readonly string[],
  io: Io,
  work: (paths: readonly string[]) => Promise<ImportReport>,
): Promise<ImportReport> {
  const reference = words.find(isReference)
  if (reference === undefined) return work(words)
  if (words.length > 1)
    throw new LazaretError('USAGE', `${reference} is an export in a registry, which replaces what is there: bring it in alone`)
  return temporaryFile('export.zst', async (path) => {
    const { pullExport } = await import('../../flow/advisories/artifact.ts')
    const { digest } = await pullExport(reference, path, registryWay(io))
    const report = await work([path])
    return { ...report, files: report.files.map((file) => ({ ...file, path: `${reference} (${digest})` })) }
  })
}
