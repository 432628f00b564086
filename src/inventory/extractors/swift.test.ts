import assert from 'node:assert/strict'
import { test } from 'node:test'
import { squash } from '../squash.ts'
import { bearsAnything, factsOf, packagesOf } from '../testing/extract.ts'
import { elfWith, probed } from '../testing/probes.ts'
import { layerOf } from '../testing/tars.ts'
import { swift } from './swift.ts'

const path = 'app/Package.resolved'
const revision = '64889f0c732f210a935a0ad7cda38f77f876262d'
const pin = (location: string, state: object = { revision, version: '2.62.0' }) => ({
  identity: 'swift-nio',
  kind: 'remoteSourceControl',
  location,
  state,
})
const resolved = (...pins: object[]) => JSON.stringify({ originHash: 'ab', pins, version: 3 })
const nio = { kind: 'swift', name: 'github.com/apple/swift-nio', version: '2.62.0' }

test('every version of the file, and every way to spell a place', () => {
  for (const location of [
    'https://github.com/apple/swift-nio.git',
    'https://GitHub.com/apple/swift-nio/',
    'git@github.com:apple/swift-nio.git',
    'ssh://git@github.com:22/apple/swift-nio',
    'https://user:secret@github.com/apple/swift-nio',
  ])
    assert.deepEqual(packagesOf(swift, path, resolved(pin(location))), [nio], location)
  const first = {
    object: { pins: [{ package: 'NIO', repositoryURL: 'https://github.com/apple/swift-nio', state: { version: '2.62.0' } }] },
    version: 1,
  }
  assert.deepEqual(packagesOf(swift, path, JSON.stringify(first)), [nio])
})

test('a package of a branch has no version, and is named', () => {
  const named = (...pins: object[]) =>
    factsOf(swift, path, resolved(...pins)).map((fact) => ('unsupported' in fact ? fact.unsupported.name : fact))
  assert.deepEqual(named(pin('https://github.com/apple/swift-mmio', { branch: 'main', revision })), [
    'swift-nio of a branch, without a version',
  ])
  assert.deepEqual(named(pin('/srv/vendor/swift-nio')), ['swift-nio of a place or version that is not said'])
  assert.deepEqual(factsOf(swift, path, '{"version":"2"}'), [])
})

test('what SwiftPM fetched brings files that it does not heed', async () => {
  const layer = await layerOf([
    [path, resolved(pin('https://github.com/apple/swift-nio'))],
    ['app/.build/checkouts/swift-nio/Package.resolved', resolved(pin('https://github.com/x/y'))],
  ])
  const { packages, problems } = squash([layer])
  assert.deepEqual(problems, [])
  assert.deepEqual(
    packages.map(({ purl }) => purl),
    ['pkg:swift/github.com/apple/swift-nio@2.62.0'],
  )
  assert.deepEqual(squash([layer, await layerOf(['app/.wh..wh..opq'])]).packages, [])
})

test('a program of Swift is named by its sections', () => {
  const fact = { unsupported: { kind: 'Swift program without a list of its packages', component: true } }
  assert.deepEqual(probed(swift, 'usr/bin/server', elfWith('\0.text\0swift5_type_metadata\0')), [fact])
  const far = elfWith('\0swift5_type_metadata\0', Buffer.alloc(100_000))
  assert.deepEqual(probed(swift, 'usr/bin/strings-of-others', far), [])
})

bearsAnything(swift, path, resolved(pin('https://github.com/apple/swift-nio.git')))
