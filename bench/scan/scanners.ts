// The programs that scan, each as it is measured.
import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { toolsFolder } from '../../scripts/prepare.ts'
import { ensureDatabase } from '../../src/advisories/ensure.ts'
import { emptyJavaDatabase, trivyArguments } from '../accuracy/scanners.ts'
import { launcher } from '../server.ts'
import { watched, type Watched } from './watched.ts'

export interface Scanner {
  name: 'Lazaret' | 'Trivy' | 'Grype'
  /** In: an archive or a layout, and the folder that holds all it keeps between two scans. Out: what it took, and how many packages it found. */
  scan: (target: string, cache: string) => Promise<Scan>
  /** Makes that folder as on a machine where nothing was scanned yet. */
  freshCache: (cache: string) => Promise<void>
}

export type Scan = Watched & { packages: number }

/** In: a folder to work in. Out: those that are on this machine, Lazaret first. */
export async function scannersIn(folder: string): Promise<Scanner[]> {
  const [trivy, grype] = [programOf('trivy'), programOf('grype')]
  return [
    await lazaret(folder),
    ...(trivy === undefined ? [] : [trivyAt(trivy, folder)]),
    ...(grype === undefined ? [] : [grypeAt(grype, folder)]),
  ]
}

function programOf(name: string): string | undefined {
  const folders = [toolsFolder(), ...(process.env['PATH'] ?? '').split(delimiter)].filter((folder) => folder !== '')
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path))
}

/** The advisories lie in the cache already, as they do after the first scan of a machine. */
async function lazaret(folder: string): Promise<Scanner> {
  const [base, output] = [join(folder, 'advisories'), join(folder, 'lazaret.json')]
  await ensureDatabase(base)
  return {
    name: 'Lazaret',
    async scan(target, cache) {
      const env = { ...process.env, XDG_CACHE_HOME: cache, LAZARET_DATA: join(folder, 'no-data'), LAZARET_OFFLINE: 'true' }
      const seen = await watched([launcher, 'scan', target, '--format', 'json', '--quiet'], { env, cwd: folder, output })
      return { ...seen, packages: lengthIn(output, 'packages') }
    },
    async freshCache(cache) {
      await emptied(cache)
      await promisify(execFile)('cp', ['-al', base, join(cache, 'lazaret')])
    },
  }
}

/** It reads no jar without a database of published ones. */
function trivyAt(program: string, folder: string): Scanner {
  const output = join(folder, 'trivy.json')
  return {
    name: 'Trivy',
    async scan(target, cache) {
      const seen = await watched([program, ...trivyArguments(target, cache)], { cwd: folder, output })
      return { ...seen, packages: lengthIn(output, 'components') }
    },
    async freshCache(cache) {
      await emptied(cache)
      await emptyJavaDatabase(join(cache, 'java-db'))
    },
  }
}

/** With no database: the inventory is made whole, then that is said. Any other end is a failure. */
function grypeAt(program: string, folder: string): Scanner {
  const gathered = /gathered packages packages=(\d+)/
  const endsWell = (code: number | null, errors: string) =>
    code === 1 && gathered.test(errors) && errors.includes('database does not exist')
  return {
    name: 'Grype',
    async scan(target, cache) {
      const env = { ...process.env, XDG_CACHE_HOME: cache, GRYPE_DB_AUTO_UPDATE: 'false', GRYPE_CHECK_FOR_APP_UPDATE: 'false' }
      const form = target.endsWith('.tar') ? 'docker-archive' : 'oci-dir'
      const seen = await watched([program, '-v', `${form}:${target}`], { env, cwd: folder, endsWell })
      return { ...seen, packages: Number(gathered.exec(seen.errors)?.[1]) }
    },
    freshCache: emptied,
  }
}

async function emptied(cache: string): Promise<void> {
  await rm(cache, { recursive: true, force: true })
  await mkdir(cache, { recursive: true })
}

function lengthIn(path: string, field: string): number {
  const list = (JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>)[field]
  if (list !== undefined && !Array.isArray(list)) throw new Error(`${path}: "${field}" is no list`)
  return list?.length ?? 0
}
