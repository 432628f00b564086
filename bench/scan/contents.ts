// What the images hold. Nothing is asked of a registry, save Debian's mirror by debootstrap.
import { execFile, spawn } from 'node:child_process'
import { closeSync, existsSync, openSync, readdirSync, readFileSync, readSync, statSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { Readable } from 'node:stream'
import { promisify } from 'node:util'
import { pack } from 'tar-stream'
import { toolsFolder } from '../../scripts/prepare.ts'

const checkout = join(import.meta.dirname, '..', '..')
const mtime = new Date('2026-01-01T00:00:00Z')

/** Needs debootstrap and a Debian mirror, debootstrap's own default, the first time. Out: a root file system of Debian 12. */
export async function debianFolder(folder: string): Promise<string> {
  const root = join(folder, 'debian-root')
  if (existsSync(root)) return root
  const draft = `${root}.draft`
  await rm(draft, { recursive: true, force: true })
  const wanted = ['ca-certificates', 'curl', 'gcc', 'git', 'make', 'openssh-client', 'python3']
  await promisify(execFile)('debootstrap', ['--variant=minbase', `--include=${wanted.join(',')}`, 'bookworm', draft], {
    maxBuffer: 1 << 26,
    timeout: 1_800_000,
  })
  for (const left of ['var/cache/apt/archives', 'var/lib/apt/lists']) await rm(join(draft, left), { recursive: true, force: true })
  await rename(draft, root)
  return root
}

/** In: the root of a file system. Out: its tar. */
export function tarOfRoot(root: string): Readable {
  const left = ['dev', 'proc', 'sys'].map((name) => `--exclude=./${name}/*`)
  return tarOutput(['--sort=name', '--numeric-owner', '-C', root, ...left, '.'])
}

/** Out: an npm application of so many packages below `srv/app`, each with code, a readme and fixtures; no lock file. */
export function npmApp(packages: number, prefix = 'part'): Readable {
  const source = sourceText()
  return tarOf(function* () {
    const dependencies: Record<string, string> = {}
    for (let at = 0; at < packages; at++) {
      const name = at % 5 === 0 ? `@${prefix}-${at % 40}/module-${at}` : `${prefix}-${at}`
      const version = `${1 + (at % 7)}.${at % 13}.${at % 29}`
      dependencies[name] = `^${version}`
      const folder = `srv/app/node_modules/${name}`
      const about = { name, version, license: 'MIT', main: 'index.js', dependencies: at === 0 ? {} : { [`${prefix}-1`]: '*' } }
      yield [`${folder}/package.json`, JSON.stringify(about, null, 2)]
      for (let file = 0; file < 12; file++) yield [`${folder}/lib/part-${file}.js`, pieceOf(source, at * 12 + file)]
      yield [`${folder}/README.md`, pieceOf(source, at * 7)]
    }
    yield [`srv/app/package.json`, JSON.stringify({ name: `${prefix}-app`, version: '1.0.0', dependencies })]
  })
}

/** Out: Go programs: those that the tests drive, and Go's own two. Throws where there are none. */
export function goPrograms(): Readable {
  const goRoot = '/usr/local/go/bin'
  const tools = filesIn(toolsFolder()).concat(filesIn(goRoot))
  const programs = tools.filter((path) => isElf(path))
  if (programs.length < 3)
    throw new Error(`there are ${programs.length} Go programs in ${toolsFolder()} and ${goRoot}: npm test installs them`)
  return tarOutput(['--transform=s,.*/,usr/local/bin/,', ...programs])
}

/** Out: so many files of some 40 bytes, 300 a folder. */
export function smallFiles(count: number): Readable {
  return tarOf(function* () {
    for (let at = 0; at < count; at++) yield [`data/${Math.floor(at / 300)}/${at}.txt`, `this is the file with the number ${at}\n`]
  })
}

/** Out: programs and libraries of this machine, so many bytes of them; those that there are come again under other folders. */
export function programFiles(bytes: number): Readable {
  const found = ['/usr/bin', '/usr/lib', '/usr/local'].flatMap((folder) => elfBelow(folder, 0))
  if (found.length === 0) throw new Error('there are no programs on this machine')
  return tarOf(function* () {
    let left = bytes
    for (let round = 0; left > 0; round++)
      for (const [at, path] of found.entries()) {
        if (left <= 0) return
        const content = readFileSync(path)
        left -= content.length
        yield [`opt/round-${round}/${at % 50}/${at}-${basename(path)}`, content]
      }
  })
}

/** Entries one after the other, each taken from memory before the next is made. */
function tarOf(entries: () => Iterable<[string, string | Buffer]>): Readable {
  const archive = pack()
  const fill = async () => {
    for (const [name, body] of entries())
      await new Promise<void>((resolve, reject) => {
        archive.entry({ name, mode: 0o644, mtime }, body, (error) => (error ? reject(error) : resolve()))
        if (archive.destroyed) reject(new Error('nobody reads the tar'))
      })
    archive.finalize()
  }
  fill().catch((error: Error) => archive.destroy(error))
  return archive as unknown as Readable
}

function tarOutput(args: readonly string[]): Readable {
  const child = spawn('tar', ['-cf', '-', ...args], { stdio: ['ignore', 'pipe', 'ignore'] })
  child.once('error', (error) => child.stdout.destroy(error))
  // Its end is the end of the tar only where it ended well.
  child.once('close', (code) => {
    if (code !== 0) child.stdout.destroy(new Error(`tar ${args.join(' ').slice(0, 500)}: ended with ${code ?? 'a signal'}`))
  })
  return child.stdout
}

const pieceBytes = 3000

function sourceText(): string {
  const folder = join(checkout, 'src', 'store')
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'))
  return files.map((name) => readFileSync(join(folder, name), 'utf8')).join('\n')
}

function pieceOf(text: string, nth: number): string {
  const at = (nth * 1009) % (text.length - pieceBytes)
  return text.slice(at, at + 500 + ((nth * 331) % (pieceBytes - 500)))
}

function elfBelow(folder: string, depth: number): string[] {
  if (depth > 8) return []
  return readdirSync(folder, { withFileTypes: true })
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name)
      if (entry.isDirectory()) return elfBelow(path, depth + 1)
      return entry.isFile() && statSync(path).size > 4096 && isElf(path) ? [path] : []
    })
}

function filesIn(folder: string): string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => join(folder, name))
}

const elfMagic = '7f454c46'

function isElf(path: string): boolean {
  const file = openSync(path, 'r')
  try {
    const magic = Buffer.alloc(4)
    readSync(file, magic, 0, 4, 0)
    return magic.toString('hex') === elfMagic
  } finally {
    closeSync(file)
  }
}
