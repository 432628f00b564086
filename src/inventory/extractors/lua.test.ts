import assert from 'node:assert/strict'
import { test } from 'node:test'
import { squash } from '../squash.ts'
import { bearsAnything, factsOf, packagesOf } from '../testing/extract.ts'
import { layerOf } from '../testing/tars.ts'
import real from './lua/fixtures/tree.json' with { type: 'json' }
import { lua } from './lua.ts'

const path = 'usr/local/lib/luarocks/rocks-5.4/lpeg/1.1.0-1/lpeg-1.1.0-1.rockspec'
const specification = 'package = "lpeg"\nversion = "9"\ndescription = {\n   homepage = "x",\n   license = "MIT/X11"\n}\n'
const tree = real.files.map(([name = '', text = '']): [string, string] => [name, text])

test('what luarocks lists, each once', async () => {
  const { packages, problems } = squash([await layerOf(tree)])
  assert.deepEqual(problems, [])
  assert.deepEqual(packages.map(({ name, version }) => `${name} ${version}`).sort(), real.listed)
  assert.deepEqual(packages.map(({ purl, licence }) => [purl, licence]).sort(), [
    ['pkg:luarocks/pier@1.2.0-3', 'MIT'],
    ['pkg:luarocks/quay@scm-1', 'Apache-2.0'],
  ])
})

test('a rock that luarocks removed above is gone; one without its specification is there', async () => {
  const removed = await layerOf(['usr/local/lib/luarocks/rocks-5.3/.wh.pier'])
  assert.deepEqual(
    squash([await layerOf(tree), removed]).packages.map(({ name }) => name),
    ['quay'],
  )
  const { packages } = squash([await layerOf(tree.filter(([name]) => !name.endsWith('.rockspec')))])
  assert.deepEqual(packages.map(({ name, version }) => `${name} ${version}`).sort(), real.listed)
})

test('the folder says name and version, the specification the licence alone', () => {
  assert.deepEqual(packagesOf(lua, path, specification), [{ kind: 'luarocks', name: 'lpeg', version: '1.1.0-1', licence: 'MIT/X11' }])
  assert.equal(packagesOf(lua, path, "description={license='BSD'}")[0]?.licence, 'BSD')
  assert.equal(packagesOf(lua, path, 'description = { license = [[MIT]] }')[0]?.licence, 'MIT')
  assert.equal(packagesOf(lua, path, 'license = read()')[0]?.licence, undefined)
  assert.deepEqual(factsOf(lua, 'srv/.rocks/share/tarantool/rocks/http/1.5.0-1/rock_manifest', ''), [
    { package: { kind: 'luarocks', name: 'http', version: '1.5.0-1' } },
  ])
})

test('sources of rocks, and other files of an installed one, are none', () => {
  for (const other of [
    'src/lpeg-1.1.0-1.rockspec',
    'usr/local/lib/luarocks/rocks-5.4/lpeg/1.1.0-1/other-1.rockspec',
    'usr/local/lib/luarocks/rocks-5.4/lpeg/1.1.0-1/doc/lpeg-1.1.0-1.rockspec',
    'usr/local/lib/luarocks/rocks-5.4/manifest',
  ])
    assert.ok(!lua.wants(other), other)
  assert.ok('problem' in (factsOf(lua, 'lib/luarocks/rocks-5.4/a b/1/rock_manifest', '')[0] ?? {}))
})

bearsAnything(lua, path, specification)
