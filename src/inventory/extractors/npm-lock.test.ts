import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bearsAnything, factsOf } from '../testing/extract.ts'
import { npmLock } from './npm-lock.ts'

const path = 'app/node_modules/.package-lock.json'
const lock = '{"lockfileVersion":3,"packages":{"node_modules/a":{"version":"1","dev":true},"node_modules/b":{"version":"1"}}}'

test('the folders that only development asked for, from the folder of the application', () => {
  assert.deepEqual(factsOf(npmLock, path, lock), [{ manifest: { kind: 'npm', devFolders: ['app/node_modules/a'] } }])
  assert.deepEqual(factsOf(npmLock, 'node_modules/.package-lock.json', lock), [
    { manifest: { kind: 'npm', devFolders: ['node_modules/a'] } },
  ])
  const upwards = '{"packages":{"../../../../etc":{"dev":true},"a":{"dev":"true"},"b":[]}}'
  assert.deepEqual(factsOf(npmLock, path, upwards), [{ manifest: { kind: 'npm', devFolders: ['app/etc'] } }])
})

test('it is a hint: what is no lock says nothing', () => {
  for (const text of ['', '[]', '{}', '{"packages":[]}', '{"packages":{"a":null}}', '{"__proto__":{"packages":{"a":{"dev":true}}}}'])
    assert.deepEqual(factsOf(npmLock, path, text), [], text)
  assert.ok(!npmLock.wants('app/package-lock.json'))
  assert.ok(!npmLock.wants('app/xnode_modules/.package-lock.json'))
})

bearsAnything(npmLock, path, lock)
