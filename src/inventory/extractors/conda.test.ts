// The form is conda's own (PrefixRecord); environments of conda can not be made where its channels are not reached.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { squash } from '../squash.ts'
import { bearsAnything, factsOf, packagesOf } from '../testing/extract.ts'
import { layerOf } from '../testing/tars.ts'
import type { Member } from '../testing/tars.ts'
import { conda } from './conda.ts'

const path = 'opt/conda/conda-meta/requests-2.31.0-py312h06a4308_1.json'
const record = (name: string, version: string, build: string, more: object = {}): string =>
  JSON.stringify({
    build,
    build_number: 1,
    channel: 'https://conda.example/pkgs/main/linux-64',
    depends: ['python >=3.12,<3.13.0a0'],
    files: ['bin/x'],
    fn: `${name}-${version}-${build}.conda`,
    license: 'Apache-2.0',
    link: { source: `/opt/conda/pkgs/${name}-${version}-${build}`, type: 1 },
    name,
    requested_spec: 'None',
    subdir: 'linux-64',
    version,
    ...more,
  })

test('a record: build, channel and platform for its package URL, who needs it and who asked', async () => {
  assert.deepEqual(packagesOf(conda, path, record('requests', '2.31.0', 'py312h06a4308_1', { requested_spec: 'requests' })), [
    {
      kind: 'conda',
      name: 'requests',
      version: '2.31.0',
      licence: 'Apache-2.0',
      requires: ['python'],
      direct: true,
      qualifiers: { build: 'py312h06a4308_1', channel: 'main', subdir: 'linux-64', type: 'conda' },
    },
  ])
  const channel = (text: string) => packagesOf(conda, path, record('a', '1', '0', { channel: text }))[0]?.qualifiers?.['channel']
  assert.deepEqual(['conda-forge', 'https://ada:secret@host/t/tk-1/conda-forge/noarch', 'pypi', ''].map(channel), [
    'conda-forge',
    'conda-forge',
    'pypi',
    undefined,
  ])
})

const site = 'lib/python3.12/site-packages'
const metadata = (name: string, version: string) => `Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\n\n`

async function namesIn(...layers: Member[][]): Promise<string[]> {
  const { packages, problems } = squash(await Promise.all(layers.map((members) => layerOf(members))))
  assert.deepEqual(problems, [])
  return packages.map(({ kind, name, version }) => `${kind} ${name} ${version}`).sort()
}

test('the base environment and others; a Python package that conda brought is counted once, whatever conda calls it', async () => {
  const base: Member[] = [
    ['opt/conda/conda-meta/python-3.12.1-h0.json', record('python', '3.12.1', 'h0', { files: ['bin/python3', `${site}/README.txt`] })],
    [
      path,
      record('requests', '2.31.0', 'py312h06a4308_1', {
        files: [`${site}/requests-2.31.0.dist-info/METADATA`, `${site}/requests/__init__.py`],
      }),
    ],
    [`opt/conda/${site}/requests-2.31.0.dist-info/METADATA`, metadata('requests', '2.31.0')],
    ['opt/conda/pkgs/requests-2.31.0-py312h06a4308_1/info/index.json', '{}'],
    [`opt/conda/pkgs/requests-2.31.0-py312h06a4308_1/${site}/requests-2.31.0.dist-info/METADATA`, metadata('requests', '2.31.0')],
    ['opt/conda/conda-meta/history', ''],
    [
      'opt/conda/envs/ml/conda-meta/pytorch-2.1.0-cpu_0.json',
      record('pytorch', '2.1.0', 'cpu_0', { files: [`${site}/torch-2.1.0-py3.12.egg-info/PKG-INFO`] }),
    ],
    [`opt/conda/envs/ml/${site}/torch-2.1.0-py3.12.egg-info/PKG-INFO`, metadata('torch', '2.1.0')],
    [`opt/conda/envs/ml/${site}/flask-3.0.0.dist-info/METADATA`, metadata('flask', '3.0.0')],
  ]
  const all = ['conda python 3.12.1', 'pypi flask 3.0.0', 'pypi requests 2.31.0', 'pypi torch 2.1.0']
  assert.deepEqual(await namesIn(base), all)
  const later = `opt/conda/${site}/.wh.requests-2.31.0.dist-info`
  assert.deepEqual(
    await namesIn(base, [later]),
    [...all.filter((name) => !name.includes('requests')), 'conda requests 2.31.0'].sort(),
    'only conda speaks of it then',
  )
})

test('what conda brought is no package of a distribution: it is judged by its language', async () => {
  const { packages } = squash([
    await layerOf([
      [path, record('requests', '2.31.0', 'x', { files: [`${site}/requests-2.31.0.dist-info/METADATA`] })],
      [`opt/conda/${site}/requests-2.31.0.dist-info/METADATA`, metadata('requests', '2.31.0')],
    ]),
  ])
  assert.deepEqual(
    packages.map(({ kind, ownedBy }) => [kind, ownedBy]),
    [['pypi', undefined]],
  )
})

test('what can not be read is a problem; what conda takes for no record is none', () => {
  for (const text of ['', '[]', '{']) assert.match(JSON.stringify(factsOf(conda, path, text)), /not a JSON object/)
  for (const text of ['{}', '{"name":"a"}', '{"name":"a","version":1}', '{"name":"a b","version":"1"}'])
    assert.deepEqual(factsOf(conda, path, text), [{ problem: 'no name or no version that can be read' }], text)
  for (const other of ['opt/conda/conda-meta/history', 'opt/conda/conda-meta/state.json', 'conda-meta/x/a-1-0.json', 'a-1-0.json'])
    assert.ok(!conda.wants(other), other)
})

bearsAnything(conda, path, record('a', '1', '0', { files: [`${site}/a-1.dist-info/METADATA`] }))
