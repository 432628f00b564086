import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bearsAnything, factsOf, packagesOf } from '../testing/extract.ts'
import { zipOf } from '../testing/zips.ts'
import { yarnCache } from './yarn-cache.ts'
import { yarnPnp } from './yarn-pnp.ts'

const zipPath = 'app/.yarn/cache/a-npm-1.0.0-0123456789-0123456789.zip'
const root: [string, string] = ['node_modules/@s/a/package.json', '{"name":"@s/a","version":"1.0.0","license":"MIT"}']

test('the manifest at the root of the archive is the package, whatever else is in it', () => {
  const others: [string, string][] = [
    ['node_modules/@s/a/test/package.json', '{"name":"x","version":"1"}'],
    ['node_modules/@s/a/node_modules/b/package.json', '{"name":"b","version":"1"}'],
  ]
  const expected = [{ kind: 'npm', name: '@s/a', version: '1.0.0', licence: 'MIT', within: root[0] }]
  assert.deepEqual(packagesOf(yarnCache, zipPath, zipOf([...others, root])), expected)
  assert.deepEqual(packagesOf(yarnCache, 'root/.yarn/berry/cache/x.zip', zipOf([root, ...others])), expected)
  for (const other of ['app/cache/x.zip', '.yarn/cache/a/b.zip', '.yarn/x.zip']) assert.ok(!yarnCache.wants(other), other)
})

test('an archive that can not be read is an error, one without a package a problem', () => {
  const whole = zipOf([root])
  assert.throws(() => factsOf(yarnCache, zipPath, ''), /no zip/)
  for (let cut = 1; cut < whole.length; cut++) assert.throws(() => factsOf(yarnCache, zipPath, whole.subarray(0, cut)), Error, String(cut))
  assert.match(JSON.stringify(factsOf(yarnCache, zipPath, zipOf([['node_modules/a/x', '']]))), /without a package.json/)
  assert.match(JSON.stringify(factsOf(yarnCache, zipPath, zipOf([[root[0], '{']]))), /is no JSON object/)
  assert.match(JSON.stringify(factsOf(yarnCache, zipPath, zipOf([[root[0], '{}']]))), /no name or no version/)
  assert.throws(() => factsOf(yarnCache, zipPath, zipOf([[root[0], ' '.repeat(5 * 1024 * 1024)]])), /more than|larger/)
})

const registry = JSON.stringify({
  packageRegistryData: [
    [null, [[null, { packageLocation: './' }]]],
    ['a', [['npm:1.0.0', { packageLocation: './.yarn/cache/a.zip/node_modules/a/' }]]],
    ['b', [['virtual:0#npm:1', { packageLocation: './.yarn/__virtual__/b-virtual-0/0/cache/b.zip/node_modules/b/' }]]],
    ['c', [['virtual:0#npm:1', { packageLocation: './.yarn/__virtual__/c-virtual-0/3/root/.yarn/berry/cache/c.zip/node_modules/c/' }]]],
    ['d', [['npm:1', { packageLocation: '../../../root/.yarn/berry/cache/d.zip/node_modules/d/' }]]],
    ['e', [['npm:1', { packageLocation: "./.yarn/unplugged/it's/node_modules/e/" }]]],
  ],
})
const archives = ['srv/app/.yarn/cache/a.zip', 'srv/app/.yarn/cache/b.zip', 'root/.yarn/berry/cache/c.zip', 'root/.yarn/berry/cache/d.zip']
const quotedMap = registry.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll(',', ',\\\n')

test('the archives that are in use, in each form of the map', () => {
  const expected = [{ manifest: { kind: 'npm', archives } }]
  assert.deepEqual(
    factsOf(yarnPnp, 'srv/app/.pnp.cjs', `"use strict";\n\nconst RAW_RUNTIME_STATE =\n'${quotedMap}';\nfunction x() {}`),
    expected,
  )
  assert.deepEqual(factsOf(yarnPnp, 'srv/app/.pnp.js', `return hydrateRuntimeState(${registry}, {basePath: basePath});`), expected)
  assert.deepEqual(factsOf(yarnPnp, 'srv/app/.pnp.data.json', registry), expected)
})

test('a map that can not be read is a problem; a loader without one says nothing', () => {
  for (const map of ["RAW_RUNTIME_STATE = '{", "RAW_RUNTIME_STATE = '[]'", "RAW_RUNTIME_STATE = '{'+x+'}'"])
    assert.match(JSON.stringify(factsOf(yarnPnp, '.pnp.cjs', map)), /no map of packages/, map)
  assert.deepEqual(factsOf(yarnPnp, '.pnp.js', 'let packageInformationStores = new Map([])'), [])
  assert.deepEqual(factsOf(yarnPnp, '.pnp.data.json', '{"packageRegistryData":[[null],["a",[["x",{"packageLocation":7}]]],3]}'), [])
})

bearsAnything(yarnPnp, 'srv/app/.pnp.cjs', `RAW_RUNTIME_STATE = '${quotedMap}'`)
