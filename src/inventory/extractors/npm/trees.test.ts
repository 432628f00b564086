// Trees laid by the real package managers, against what those list themselves (fixtures/README.md).
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { zstdDecompressSync } from 'node:zlib'
import type { ImagePackage } from '../../../model/package.ts'
import { squash } from '../../squash.ts'
import { layerOf, symlink } from '../../testing/tars.ts'
import type { Member } from '../../testing/tars.ts'

interface Tree {
  files: [string, string][]
  links: [string, string][]
  zips?: [string, string][]
  listed: string[]
  dev?: string[]
}

const trees = JSON.parse(zstdDecompressSync(readFileSync(join(import.meta.dirname, 'fixtures/trees.json.zst'))).toString('utf8')) as Record<
  'npm' | 'pnpm' | 'yarn1' | 'pnp',
  Tree
>

function membersOf({ files, links, zips = [] }: Tree): Member[] {
  return [
    ...files,
    ...zips.map(([path, text]): [string, Buffer] => [path, Buffer.from(text, 'base64')]),
    ...links.map((l) => symlink(...l)),
  ]
}

async function packagesOf(...layers: Member[][]): Promise<ImagePackage[]> {
  const facts = await Promise.all(layers.map((members) => layerOf(members)))
  const { packages, problems } = squash(facts)
  assert.deepEqual(problems, [])
  return packages
}

const label = ({ name, version }: ImagePackage) => `${name}@${version}`
const labels = (packages: ImagePackage[]) => [...new Set(packages.map(label))].sort()
const named = (packages: ImagePackage[], name: string) => packages.find((pack) => label(pack) === name || pack.name === name)

test('npm: what it lists itself, and none of the package.json files in test folders (Syft, Grype and Trivy count those)', async () => {
  const packages = await packagesOf(membersOf(trees.npm))
  assert.deepEqual(labels(packages), trees.npm.listed)
  const inTests = trees.npm.files.filter(([path]) => /\/test\//.test(path))
  assert.ok(inTests.length > 5)
})

test('npm: which packages only development asked for, as npm says', async () => {
  const dev = (packages: ImagePackage[]) => labels(packages.filter((pack) => pack.dev))
  assert.deepEqual(dev(await packagesOf(membersOf(trees.npm))), trees.npm.dev)
  const withoutManifest = membersOf({ ...trees.npm, files: trees.npm.files.filter(([path]) => path !== 'app/package.json') })
  assert.deepEqual(dev(await packagesOf(withoutManifest)), trees.npm.dev, 'by the hidden lock')
  const withoutLock = membersOf({ ...trees.npm, files: trees.npm.files.filter(([path]) => !path.endsWith('lock.json')) })
  assert.deepEqual(dev(await packagesOf(withoutLock)), trees.npm.dev, 'by the manifest')
})

/** For macOS alone: pnpm and yarn list it from their locks, and did not lay it down. */
const isElsewhere = (text: string) => text.startsWith('fsevents@')

test('pnpm: its store of versions once each, whatever links lead there', async () => {
  const listed = trees.pnpm.listed.filter((text) => !isElsewhere(text))
  assert.deepEqual(labels(await packagesOf(membersOf(trees.pnpm))), listed)
})

test('yarn 1: what it lists', async () => {
  const listed = trees.yarn1.listed.filter((text) => !isElsewhere(text)).map((text) => text.replace(/^left@/, 'left-pad@'))
  assert.deepEqual(labels(await packagesOf(membersOf(trees.yarn1))), [...new Set(listed)].sort())
})

test('yarn 4, Plug’n’Play: archives that its map names, unplugged packages, and no workspace', async () => {
  const packages = await packagesOf(membersOf(trees.pnp))
  const listed = trees.pnp.listed
    .filter((text) => !text.includes('@workspace:') && !isElsewhere(text))
    .map((text) => text.replace(/@(?:virtual:[^#]*#)?(?:patch:(.+)@)?npm(?::|%3A)([^#]+).*$/, '@$2'))
  assert.deepEqual(labels(packages), [...new Set(listed)].sort())
  assert.match(named(packages, 'express')?.location ?? '', /^app\/\.yarn\/cache\/express-npm-4\.17\.1-[^/]+\.zip/)
})

for (const manager of ['npm', 'pnpm', 'yarn1', 'pnp'] as const) {
  test(`${manager}: through which direct dependency a package came`, async () => {
    const packages = await packagesOf(membersOf(trees[manager]))
    assert.deepEqual(named(packages, 'qs')?.through, ['express@4.17.1'])
    assert.deepEqual(named(packages, 'mime-db')?.through, ['express@4.17.1'])
    assert.deepEqual(named(packages, 'path-parse')?.through, ['resolve@1.20.0'])
    assert.deepEqual(named(packages, 'serialize-javascript')?.through, ['mocha@9.0.0'])
    const { direct, dev, through } = named(packages, 'mocha') ?? {}
    assert.deepEqual([direct, dev, through], [true, true, undefined])
    assert.deepEqual([named(packages, 'express')?.direct, named(packages, 'express')?.dev], [true, undefined])
  })
}

test('an alias is the package that it stands for', async () => {
  const packages = await packagesOf(membersOf(trees.npm))
  assert.equal(named(packages, 'left-pad')?.location, 'app/node_modules/left/package.json')
  assert.equal(named(packages, 'left-pad')?.direct, true)
  assert.equal(named(packages, 'left'), undefined)
})

test('a cache of yarn beside an unpacked tree is only a cache', async () => {
  const files = trees.pnp.files.filter(([path]) => path !== 'app/.pnp.cjs')
  const packages = await packagesOf(membersOf({ ...trees.pnp, files }))
  assert.deepEqual(
    packages.filter(({ location }) => location.includes('.zip')),
    [],
  )
})

test('layers: a later npm ci without development, by whiteouts; a link in the place of node_modules', async () => {
  const gone = trees.npm.files
    .filter(([path]) => path.endsWith('node_modules/mocha/package.json'))
    .map(([path]) => path.replace('mocha/package.json', '.wh.mocha'))
  assert.equal(gone.length, 1)
  const packages = await packagesOf(membersOf(trees.npm), gone)
  assert.equal(named(packages, 'mocha'), undefined)
  assert.ok(named(packages, 'express'))
  assert.deepEqual(await packagesOf(membersOf(trees.npm), [symlink('app/node_modules', '/nowhere')]), [])
})
