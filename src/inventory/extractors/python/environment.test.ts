// An environment laid by pip, setuptools and Debian, against what those list themselves (fixtures/README.md).
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { zstdDecompressSync } from 'node:zlib'
import type { ImagePackage } from '../../../model/package.ts'
import { squash } from '../../squash.ts'
import { layerOf } from '../../testing/tars.ts'
import type { Member } from '../../testing/tars.ts'

const environment = JSON.parse(
  zstdDecompressSync(readFileSync(join(import.meta.dirname, 'fixtures/environment.json.zst'))).toString('utf8'),
) as { files: [string, string | { base64: string }][]; listed: string[]; debian: [string, string, string][] }

const files = environment.files.map(([path, content]): [string, string | Buffer] => [
  path,
  typeof content === 'string' ? content : Buffer.from(content.base64, 'base64'),
])

async function packagesOf(...layers: Member[][]): Promise<ImagePackage[]> {
  const { packages, problems } = squash(await Promise.all(layers.map((members) => layerOf(members))))
  assert.deepEqual(problems, [])
  return packages
}

const named = (packages: ImagePackage[], name: string) => packages.find((pack) => pack.name === name)

test('what pip lists, and none besides: wheels, eggs zipped and not, egg-info as folder and file, editable', async () => {
  const packages = await packagesOf(files)
  assert.deepEqual(packages.map(({ name, version }) => `${name}@${version}`).sort(), environment.listed)
  assert.equal(
    named(packages, 'made-egg-zip')?.location,
    'opt/v/lib/python3.11/site-packages/Made.Egg_Zip-1.0-py3.11.egg!/EGG-INFO/PKG-INFO',
  )
})

test('who was asked for by name, and through whom the others came', async () => {
  const packages = await packagesOf(files)
  assert.deepEqual([named(packages, 'flask')?.direct, named(packages, 'flask')?.through], [true, undefined])
  assert.deepEqual(named(packages, 'urllib3')?.through, ['requests@2.28.1'])
  assert.deepEqual(named(packages, 'werkzeug')?.through, ['flask@2.0.3'])
  assert.deepEqual(named(packages, 'markupsafe')?.through?.includes('jinja2@3.0.1'), true)
})

test('licences as SPDX', async () => {
  const packages = await packagesOf(files)
  const licences = Object.fromEntries(packages.map(({ name, licence }) => [name, licence]))
  assert.deepEqual(
    [licences['requests'], licences['zope-interface'], licences['made-old'], licences['certifi']],
    ['Apache-2.0', 'ZPL-2.1', 'MIT', 'MPL-2.0'],
  )
})

test('what Debian owns says so, each with the package that dpkg names', async () => {
  const owners = [...new Set(environment.debian.map(([, , owner]) => owner))]
  const status = owners.map((name) => `Package: ${name}\nStatus: install ok installed\nVersion: 1\n`).join('\n')
  const lists = owners.map((name): [string, string] => [
    `var/lib/dpkg/info/${name}.list`,
    environment.debian.map(([path, , owner]) => (owner === name ? `/${path}\n` : '')).join(''),
  ])
  const laid = environment.debian.map(([path, content]): [string, string] => [path, content])
  const packages = (await packagesOf([['var/lib/dpkg/status', status], ...lists, ...laid])).filter(({ kind }) => kind === 'pypi')
  assert.equal(packages.length, laid.length)
  for (const { location, ownedBy } of packages) assert.equal(ownedBy, environment.debian.find(([path]) => path === location)?.[2])
})

test('layers: pip replaces a version by whiteouts and a new folder', async () => {
  const packages = await packagesOf(files, [
    'opt/v/lib/python3.11/site-packages/.wh.urllib3-1.26.20.dist-info',
    ['opt/v/lib/python3.11/site-packages/urllib3-2.0.7.dist-info/METADATA', 'Name: urllib3\nVersion: 2.0.7\n\n'],
    'opt/v/lib/python3.11/site-packages/.wh.Made.Egg_Zip-1.0-py3.11.egg',
  ])
  assert.deepEqual(
    packages.filter(({ name }) => name === 'urllib3').map(({ version }) => version),
    ['2.0.7'],
  )
  assert.equal(named(packages, 'made-egg-zip'), undefined)
})

test('where a package came from is in its package URL, without credentials', async () => {
  const folder = 'srv/site-packages/made-1.dist-info'
  const url = '{"url":"https://ada:secret@example.org/made.git?token=1","vcs_info":{"vcs":"git","commit_id":"0a1b2c"}}'
  const [made] = await packagesOf([
    [`${folder}/METADATA`, 'Name: made\nVersion: 1\n'],
    [`${folder}/direct_url.json`, url],
  ])
  assert.equal(made?.purl, 'pkg:pypi/made@1?vcs_url=git%2Bhttps%3A%2F%2Fexample.org%2Fmade.git%400a1b2c')
  assert.equal(JSON.stringify(made).includes('secret'), false)
})
