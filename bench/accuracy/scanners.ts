// The scanners, each asked for all packages of an archive.
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { promisify } from 'node:util'
import { toolsFolder } from '../../scripts/prepare.ts'
import { launcher } from '../server.ts'
import { named, namedBy, type Named } from './named.ts'

export interface Lister {
  name: 'Lazaret' | 'Trivy' | 'Grype' | 'OSV-Scanner'
  /** Of its module; Grype's packages are Syft's. */
  version: string
  /** In: an archive. Out: what it names in it, each as often as it does. Throws where it fails. */
  list: (archive: string) => Promise<Named[]>
}

/** What is left out where it is not on this machine. */
export const peers = ['Trivy', 'Grype', 'OSV-Scanner'] as const

/** In: a folder to work in. Out: those that are here, Lazaret first. Grype's inventory is made by Syft, and is asked of that. */
export async function listersIn(folder: string): Promise<Lister[]> {
  const found: (Lister | undefined)[] = [
    lazaretIn(folder),
    await lister('Trivy', 'trivy', (program, archive) => trivy(program, archive, folder)),
    await lister('Grype', 'syft', syft),
    await lister('OSV-Scanner', 'osv-scanner', osvScanner),
  ]
  return found.filter((one) => one !== undefined)
}

async function lister(
  name: Lister['name'],
  file: string,
  list: (program: string, archive: string) => Promise<Named[]>,
): Promise<Lister | undefined> {
  const program = programOf(file)
  if (program === undefined) return undefined
  const version = await versionOf(program)
  return { name, version: file === name.toLowerCase() ? version : `by ${file} ${version}`, list: (archive) => list(program, archive) }
}

/** In: a name. Out: its path in the tools folder, else on the PATH. */
export function programOf(name: string): string | undefined {
  const folders = [toolsFolder(), ...(process.env['PATH'] ?? '').split(delimiter)].filter((folder) => folder !== '')
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path))
}

/** All of them are programs of Go; what `go install` built knows its version from the module alone. */
async function versionOf(program: string): Promise<string> {
  const { stdout } = await promisify(execFile)('go', ['version', '-m', program], { maxBuffer: 1 << 24 })
  const [, main = '?'] = /^\tpath\t(\S+)$/m.exec(stdout) ?? []
  const module = /^\tmod\t(\S+)\t(\S+)/m.exec(stdout)
  const dependency = [...stdout.matchAll(/^\tdep\t(\S+)\t(\S+)/gm)].find(([, path = '']) => main === path || main.startsWith(`${path}/`))
  return module?.[2]?.startsWith('v') === true ? module[2] : (dependency?.[2] ?? '?')
}

export function lazaretIn(folder: string): Lister {
  const env = { ...process.env, XDG_CACHE_HOME: join(folder, 'lazaret'), LAZARET_DATA: join(folder, 'no-data'), LAZARET_OFFLINE: 'true' }
  const list = async (archive: string) => componentsIn(await printed(launcher, ['sbom', archive, '--format', 'cyclonedx', '--quiet'], env))
  return { name: 'Lazaret', version: 'this checkout', list }
}

/** It looks at no jar without its database of published ones, so it gets one that knows none, as Lazaret has none here. */
async function trivy(program: string, archive: string, folder: string): Promise<Named[]> {
  await emptyJavaDatabase(join(folder, 'trivy', 'java-db'))
  return componentsIn(await printed(program, trivyArguments(archive, join(folder, 'trivy'))))
}

/** CycloneDX is the form for which Trivy wants no database of advisories. In: an archive or a layout, and where it keeps what it knows. */
export function trivyArguments(target: string, cache: string): string[] {
  const rest = ['--format', 'cyclonedx', '--offline-scan', '--skip-version-check', '--skip-java-db-update', '--quiet']
  return ['image', '--input', target, '--cache-dir', cache, ...rest]
}

/** In: a folder. Lays down a database of published jars that knows none. github.com/aquasecurity/trivy-java-db, pkg/db. */
export async function emptyJavaDatabase(folder: string): Promise<void> {
  const path = join(folder, 'trivy-java.db')
  if (existsSync(path)) return
  await mkdir(folder, { recursive: true })
  const database = new DatabaseSync(path)
  database.exec(`CREATE TABLE artifacts(id INTEGER PRIMARY KEY, group_id TEXT, artifact_id TEXT);
    CREATE TABLE indices(artifact_id INTEGER, version TEXT, sha1 BLOB, archive_type TEXT, foreign key (artifact_id) references artifacts(id))`)
  database.close()
  const times = { NextUpdate: '2099-01-01T00:00:00Z', UpdatedAt: '2026-01-01T00:00:00Z', DownloadedAt: '2026-01-01T00:00:00Z' }
  await writeFile(join(folder, 'metadata.json'), JSON.stringify({ Version: 1, ...times }))
}

async function syft(program: string, archive: string): Promise<Named[]> {
  const env = { ...process.env, SYFT_CHECK_FOR_APP_UPDATE: 'false' }
  return componentsIn(await printed(program, ['scan', `docker-archive:${archive}`, '--quiet', '-o', 'cyclonedx-json'], env))
}

async function osvScanner(program: string, archive: string): Promise<Named[]> {
  return (await scannedByOsv(program, archive, process.env)).flatMap((one) => namedByOsv(one.package))
}

/** Out: all packages, with findings where it has advisories. It needs none to say what it found, only that it says so. */
export async function scannedByOsv(program: string, archive: string, env: NodeJS.ProcessEnv): Promise<OsvScanned[]> {
  const args = ['scan', 'image', '--archive', archive, '--all-packages', '--offline', '--format', 'json']
  const text = await printed(program, args, env).catch((error: Error & { code?: number; stdout?: string; stderr?: string }) => {
    if (error.code === 1 && error.stdout !== undefined) return error.stdout // it has findings
    if (error.code === 128 && error.stderr?.includes('No package sources found') === true) return '{}'
    if (error.code === 127 && error.stderr?.includes('no offline version of the OSV database') === true) return error.stdout ?? ''
    throw error
  })
  const { results = [] } = JSON.parse(text) as { results?: { packages: OsvScanned[] }[] }
  return results.flatMap(({ packages }) => packages)
}

interface OsvScanned {
  package: OsvPackage
  groups?: { ids: string[]; aliases?: string[] }[]
}

interface OsvPackage {
  name: string
  os_package_name?: string
  version: string
  ecosystem: string
}

const osvTypes: Record<string, string> = {
  Debian: 'deb',
  Ubuntu: 'deb',
  Alpine: 'apk',
  Chainguard: 'apk',
  Wolfi: 'apk',
  npm: 'npm',
  PyPI: 'pypi',
  RubyGems: 'gem',
  Packagist: 'composer',
  Maven: 'maven',
  Go: 'golang',
  'crates.io': 'cargo',
  NuGet: 'nuget',
  CRAN: 'cran',
  'Red Hat': 'rpm',
  SUSE: 'rpm',
  'Azure Linux': 'rpm',
}

/** Throws where an ecosystem is not known here: it would be counted as missed. */
export function namedByOsv({ name, os_package_name: binary, version, ecosystem }: OsvPackage): Named[] {
  if (ecosystem === '') return []
  const type = osvTypes[ecosystem.split(':')[0] ?? '']
  if (type === undefined) throw new Error(`OSV-Scanner names an ecosystem that is not known here: ${ecosystem}`)
  return [named(type, binary ?? name, version)]
}

export async function printed(program: string, args: string[], env = process.env): Promise<string> {
  const { stdout } = await promisify(execFile)(program, args, { env, maxBuffer: 1 << 29, timeout: 600_000 })
  return stdout
}

interface Component {
  purl?: string
  components?: Component[]
}

/** CycloneDX; a component without a package URL is a file or the system. */
function componentsIn(text: string): Named[] {
  const below = ({ purl, components = [] }: Component): Named[] => {
    const one = purl === undefined ? undefined : namedBy(purl)
    return [...(one === undefined ? [] : [one]), ...components.flatMap(below)]
  }
  return ((JSON.parse(text) as Component).components ?? []).flatMap(below)
}
