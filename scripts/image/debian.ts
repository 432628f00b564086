// The part of the image that is Debian's: the libraries that Node is linked with, as `ldd` names them, and nothing beside them.
// Each package leaves its facts in /var/lib/dpkg/status.d, the form that scanners know from images without dpkg.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { moveKept, ran, writeEntry } from './tree.ts'

/** The release whose advisories are bundled. */
const release = '12'

/** base-files says which Debian it is, and holds the licences that the others name; gcc-12-base holds the copyright of three. */
const packages = ['base-files', 'gcc-12-base', 'libatomic1', 'libc6', 'libgcc-s1', 'libstdc++6']

/** Without character set modules, debugger scripts, manuals, translations, and the empty system that base-files lays out. */
const kept = [
  /^lib\//,
  /^lib64\//,
  /^usr\/lib\/[^/]+\/lib[^/]+$/,
  /^(usr\/lib|etc)\/os-release$/,
  /^etc\/debian_version$/,
  /^usr\/share\/common-licenses\//,
  /^usr\/share\/doc\/[^/]+(\/copyright)?$/,
]

/**
 * In: a folder for the layer, and one to work in. Out: the packages, as `NAME VERSION`. apt takes its sources and their keys from
 * this machine, and nothing else: its lists are fetched anew, so that the newest versions are in the image.
 * Throws where the machine's sources are not of the release.
 */
export function layDebian(layer: string, work: string): string[] {
  for (const folder of ['lists/partial', 'archives/partial']) mkdirSync(join(work, folder), { recursive: true })
  writeFileSync(join(work, 'status'), '')
  const options = aptOptions(work)
  ran('apt-get', [...options, 'update'])
  ran('apt-get', [...options, 'download', ...packages], { cwd: join(work, 'archives') })
  const files = packages.map((name) => ({ name, file: archiveOf(join(work, 'archives'), name) }))
  const versions = files.map(({ name, file }) => layPackage(name, file, layer, join(work, 'unpacked', name)))
  requireRelease(readFileSync(join(layer, 'usr', 'lib', 'os-release'), 'utf8'))
  return versions
}

function aptOptions(work: string): string[] {
  const settings = {
    'Dir::State::status': join(work, 'status'),
    'Dir::State::lists': join(work, 'lists'),
    'Dir::Cache': work,
    'Acquire::Languages': 'none',
    'Acquire::IndexTargets::deb::DEP-11::DefaultEnabled': 'false',
    'Acquire::Retries': '3',
    'APT::Sandbox::User': 'root',
    'APT::Update::Error-Mode': 'any',
  }
  return ['-qq', ...Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`])]
}

function archiveOf(folder: string, name: string): string {
  const found = ran('find', [folder, '-maxdepth', '1', '-name', `${name}_*.deb`])
    .trim()
    .split('\n')
  if (found.length !== 1 || found[0] === '' || found[0] === undefined) throw new Error(`apt brought no ${name}, or several`)
  return found[0]
}

/** Out: `NAME VERSION`. */
function layPackage(name: string, file: string, layer: string, unpacked: string): string {
  mkdirSync(unpacked, { recursive: true })
  ran('dpkg-deb', ['--raw-extract', file, unpacked])
  const taken = new Set(moveKept(unpacked, layer, (path) => kept.some((pattern) => pattern.test(path))))
  const sums = readFileSync(join(unpacked, 'DEBIAN', 'md5sums'), 'utf8')
    .split('\n')
    .filter((line) => taken.has(line.slice(34)))
  const facts = join(layer, 'var', 'lib', 'dpkg', 'status.d')
  writeEntry(join(facts, name), readFileSync(join(unpacked, 'DEBIAN', 'control'), 'utf8'))
  writeEntry(join(facts, `${name}.md5sums`), sums.map((line) => `${line}\n`).join(''))
  return ran('dpkg-deb', ['--show', '--showformat=${Package} ${Version}', file])
}

function requireRelease(osRelease: string): void {
  const [, id] = /^VERSION_ID="?([^"\n]*)"?$/m.exec(osRelease) ?? []
  if (id !== release)
    throw new Error(
      `apt's sources here are of Debian ${id ?? 'unstable'}: the image is built from Debian ${release}, whose advisories are bundled`,
    )
}
