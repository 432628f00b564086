import assert from 'node:assert/strict'
import { test } from 'node:test'
import { squash } from '../squash.ts'
import { bearsAnything, factsOf, packagesOf } from '../testing/extract.ts'
import { layerOf } from '../testing/tars.ts'
import real from './r/fixtures/library.json' with { type: 'json' }
import { r } from './r.ts'

const path = 'usr/lib/R/library/rlang/DESCRIPTION'
const description =
  'Package: rlang\nVersion: 1.1-3\nLicense: MIT + file LICENSE\nDepends: R (>= 3.5.0),\n    methods\nImports: utils, a.b (>= 1),\n    utils\nBuilt: R 4.2.2; ; 2026-01-01 00:00:00 UTC; unix\n'

test('what installed.packages() lists', async () => {
  const { packages, problems } = squash([await layerOf(real.files.map(([name = '', text = '']): [string, string] => [name, text]))])
  assert.deepEqual(problems, [])
  assert.deepEqual(packages.map(({ name, version }) => `${name}@${version}`).sort(), real.listed)
  assert.equal(packages.find(({ name }) => name === 'jsonlite')?.purl, 'pkg:cran/jsonlite@1.8.4')
})

test('a package, and what it needs over several lines', () => {
  assert.deepEqual(packagesOf(r, path, description), [
    { kind: 'cran', name: 'rlang', version: '1.1-3', licence: 'MIT + file LICENSE', requires: ['methods', 'utils', 'a.b'] },
  ])
})

test('a source is no installed package; an installed one without a name is a problem', () => {
  assert.deepEqual(factsOf(r, path, description.replace(/Built.*\n/, '')), [])
  assert.deepEqual(factsOf(r, path, 'Version: 1\nBuilt: R 4\n'), [{ problem: 'no name or no version that can be read' }])
  for (const other of [
    'a/DESCRIPTION',
    'usr/lib/R/library/DESCRIPTION',
    'usr/lib/R/library/a/tests/DESCRIPTION',
    'library/a/DESCRIPTION.in',
  ])
    assert.ok(!r.wants(other), other)
})

bearsAnything(r, path, description)
