// Builds the container image of Lazaret: `npm run image`, or `npm run image -- --archive lazaret.tar` for a file that
// `docker load` takes too. Needs buildah, and Debian 12's apt. Its registry is nobody's: nothing is built upon another image.

import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { layLazaret, layOwned, layPackages } from './image/application.ts'
import { layDebian } from './image/debian.ts'
import { plainModes, ran } from './image/tree.ts'

const root = dirname(import.meta.dirname)

export interface BuiltImage {
  /** `localhost/lazaret:VERSION`, in the store that buildah uses. */
  reference: string
  /** Of its config. */
  id: string
  /** Debian's packages in it, as `NAME VERSION`. */
  debian: string[]
}

/** In: a file for an archive, where one is wanted, and who is told of each step. Out: the image. */
export function buildImage(archive: string | undefined, say: (line: string) => void): BuiltImage {
  const work = mkdtempSync(join(tmpdir(), 'lazaret-image-'))
  try {
    const context = join(work, 'context')
    say('libraries of Debian')
    const debian = layDebian(join(context, 'debian'), join(work, 'apt'))
    say('npm packages')
    layPackages(root, join(work, 'npm'), join(context, 'node'), join(context, 'packages'))
    layLazaret(root, join(context, 'lazaret'))
    for (const layer of ['debian', 'node', 'packages', 'lazaret']) plainModes(join(context, layer))
    layOwned(join(context, 'owned'))
    say('buildah')
    const built = { ...build(context), debian }
    dropSteps(built.id)
    if (archive !== undefined) ran('buildah', ['push', '--quiet', built.id, `docker-archive:${archive}:${built.reference}`])
    return built
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

/** The docker form, as the OCI's has no place for a health check. All times are one, so that the same files give the same layers. */
function build(context: string): { reference: string; id: string } {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
  const seconds = createdAt()
  const given = { VERSION: version, REVISION: revision(), CREATED: new Date(seconds * 1000).toISOString() }
  const reference = `localhost/lazaret:${version}`
  const form = ['--format=docker', '--layers', '--no-cache', `--timestamp=${seconds}`, '--pull=never']
  const tags = [`--tag=${reference}`, '--tag=localhost/lazaret:latest']
  const values = Object.entries(given).map(([name, value]) => `--build-arg=${name}=${value}`)
  const file = join(root, 'scripts', 'image', 'Containerfile')
  const printed = ran('buildah', ['build', '--quiet', ...form, ...tags, ...values, `--file=${file}`, context], { timeoutMs: 600_000 })
  return { reference, id: printed.trim().split('\n').at(-1) ?? '' }
}

/** buildah keeps an image of each step, for a cache that is not used here. The image's history names them. */
function dropSteps(id: string): void {
  const { OCIv1 } = JSON.parse(ran('buildah', ['inspect', '--type=image', id])) as { OCIv1: { history: { comment?: string }[] } }
  const steps = OCIv1.history.flatMap(({ comment = '' }) => /^FROM ([0-9a-f]{12,64})$/.exec(comment)?.[1] ?? [])
  if (steps.length > 0) ran('buildah', ['rmi', ...new Set(steps)])
}

/** Out: seconds since 1970: SOURCE_DATE_EPOCH, else when the checkout's commit was made. */
function createdAt(): number {
  const given = process.env.SOURCE_DATE_EPOCH ?? committed('--format=%ct')
  if (!/^\d{1,11}$/.test(given))
    throw new Error('SOURCE_DATE_EPOCH must be seconds since 1970, and is needed where this is no checkout of git')
  return Number(given)
}

/** Out: the checkout's commit, with `-changed` where the image's files are others than its; `unknown` without git. */
function revision(): string {
  const commit = committed('--format=%H')
  if (commit === '') return 'unknown'
  const changes = ran('git', ['-C', root, 'status', '--porcelain', '--', 'src', 'data', 'scripts', 'package.json', 'package-lock.json'])
  return changes.trim() === '' ? commit : `${commit}-changed`
}

/** Out: what git says of the checkout's commit, empty where this is no checkout. */
function committed(format: string): string {
  return existsSync(join(root, '.git')) ? ran('git', ['-C', root, 'log', '-1', format]).trim() : ''
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { archive: { type: 'string' } }, strict: true })
  const archive = values.archive === undefined ? undefined : resolve(values.archive)
  const built = buildImage(archive, (line) => process.stderr.write(`image: ${line}\n`))
  process.stderr.write(built.debian.map((line) => `image: holds ${line}\n`).join(''))
  process.stdout.write(`${built.reference}\n${built.id}\n`)
}
