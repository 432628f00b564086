import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { bearsAnything, factsOf, packagesOf } from '../testing/extract.ts'
import { npm } from './npm.ts'
import { placeOf } from './npm/place.ts'

const path = 'app/node_modules/lodash/package.json'

test('the package at the root of its folder is read', () => {
  assert.deepEqual(packagesOf(npm, path, '{"name":"lodash","version":"4.17.21","license":"MIT"}'), [
    { kind: 'npm', name: 'lodash', version: '4.17.21', licence: 'MIT' },
  ])
  assert.deepEqual(packagesOf(npm, 'node_modules/@babel/core/package.json', '\ufeff{"name":"@babel/core","version":"7.0.0"}'), [
    { kind: 'npm', name: '@babel/core', version: '7.0.0' },
  ])
})

test('every place of a package, and no fixture inside one', () => {
  const wanted = [
    'node_modules/a/package.json',
    'x/node_modules/a/node_modules/@s/b/package.json',
    'node_modules/.pnpm/a@1.0.0/node_modules/a/package.json',
    'node_modules/.bun/a@1.0.0/node_modules/@s/a/package.json',
    'node_modules/.store/a-npm-1.0.0-12345678/package/package.json',
    'app/.yarn/unplugged/a-npm-1.0.0-12345678/node_modules/a/package.json',
    'usr/lib/node_modules/npm/package.json',
    'usr/lib/node_modules/npm/node_modules/@npmcli/arborist/package.json',
    'app/test/node_modules/a/package.json',
    'node_modules/test/node_modules/a/package.json',
    'node_modules/a/dist/node_modules/b/package.json',
  ]
  const others = [
    'node_modules/package.json',
    'node_modules/a/test/fixtures/node_modules/b/package.json',
    'node_modules/a/Examples/node_modules/b/package.json',
    'node_modules/@s/a/__tests__/x/node_modules/@s/b/package.json',
    'node_modules/.pnpm/a@1.0.0/node_modules/a/test/package.json',
    'node_modules/.pnpm/package.json',
    'node_modules/.pnpm/lock/x/a/package.json',
    'node_modules/.a-AbCdEf12/package.json',
    'node_modules/@s/.b/package.json',
    'apackage.json',
    'node_modules/a/test/package.json',
    'node_modules/a/lib/package.json',
    'node_modules/@s/package.json',
    'node_modules/.cache/package.json',
    'node_modules/a/Package.json',
  ]
  for (const some of wanted) assert.equal(placeOf(some), 'package', some)
  for (const some of others) assert.ok(!npm.wants(some), some)
  for (const some of ['package.json', 'app/package.json', 'x_node_modules/a/package.json']) assert.equal(placeOf(some), 'application', some)
})

test('what a package needs, and what an application asks for', () => {
  assert.deepEqual(
    packagesOf(
      npm,
      path,
      '{"name":"a","version":"1","dependencies":{"b":"1","c":"npm:d@2"},"peerDependencies":{"e":"*"},"devDependencies":{"f":"1"}}',
    ),
    [{ kind: 'npm', name: 'a', version: '1', requires: ['b', 'c', 'e'] }],
  )
  assert.deepEqual(
    factsOf(npm, 'app/package.json', '{"name":"app","version":"1","dependencies":{"b":"1","../x":"1"},"devDependencies":{"c":"1"}}'),
    [{ manifest: { kind: 'npm', direct: ['b'], directDev: ['c'] } }],
  )
  for (const text of ['', '{}', '{"dependencies":[]}', '{{ name }}', 'null'])
    assert.deepEqual(factsOf(npm, 'templates/package.json', text), [])
})

test('licences in the forms that npm ever had', () => {
  const licence = (json: string) => packagesOf(npm, path, `{"name":"a","version":"1",${json}}`)[0]?.licence
  assert.equal(licence('"license":{"type":"ISC","url":"x"}'), 'ISC')
  assert.equal(licence('"licenses":[{"type":"MIT"},{"type":"GPL-2.0"}]'), 'MIT OR GPL-2.0')
  assert.equal(licence('"license":7'), undefined)
})

test('without a name or a version it is no package; what is no JSON object is a problem', () => {
  for (const json of [
    '{}',
    '{"name":"a"}',
    '{"version":"1"}',
    '{"name":1,"version":"1"}',
    '{"name":"","version":"1"}',
    '{"name":"a","version":["1"]}',
    '{"name":"a b","version":"1"}',
  ]) {
    assert.deepEqual(factsOf(npm, path, json), [], json)
  }
  for (const json of ['', '[]', 'null', '"a"', '{"name":', '[['.repeat(1_000_000)])
    assert.match(JSON.stringify(factsOf(npm, path, json)), /^\[\{"problem":"not a JSON object/)
  for (const name of ['@', '@/b', '@a/', 'a/b', '@a/b/c', '../x'])
    assert.match(JSON.stringify(factsOf(npm, path, JSON.stringify({ name, version: '1' }))), /a name that no package can have/)
})

test('prototype keys, half surrogates and deep nesting do no harm', () => {
  assert.deepEqual(factsOf(npm, path, '{"__proto__":{"name":"a","version":"1"}}'), [])
  assert.deepEqual(factsOf(npm, path, '{"name":"a\\ud800","version":"1"}'), [])
  const deep = `{"name":"a","version":"1","x":${'['.repeat(5000)}${']'.repeat(5000)}}`
  assert.equal(packagesOf(npm, path, deep).length, 1)
  assert.equal(({} as Record<string, unknown>)['name'], undefined)
})

test('any JSON is a package, nothing, or a problem', () => {
  fc.assert(fc.property(fc.json(), (json) => assert.ok(factsOf(npm, path, json).length <= 1)))
})

bearsAnything(npm, path, '{"name":"lodash","version":"4.17.21","license":"MIT"}')
