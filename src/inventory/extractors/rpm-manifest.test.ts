import assert from 'node:assert/strict'
import { test } from 'node:test'
import { squash } from '../squash.ts'
import { bearsAnything, factsOf, packagesOf } from '../testing/extract.ts'
import { layerOf } from '../testing/tars.ts'
import { rpmManifest } from './rpm-manifest.ts'

const path = 'var/lib/rpmmanifest/container-manifest-2'

// Printed by `rpm -qa --qf` over the databases of the fixtures of rpm.
const manifest = [
  'mariner-release\t2.0-4.cm2\t1643279451\t1643074780\tMicrosoft Corporation\t(none)\t608\tnoarch\t0\tmariner-release-2.0-4.cm2.src.rpm',
  'harbour-base\t1.0-1.el9\t1795516908\t1795516907\tAlmaLinux\t2\t50\tnoarch\t2\tharbour-base-1.0-1.el9.src.rpm',
  'gpg-pubkey\tfbc7f917-6b0569d4\t1795516908\t1795516884\t(none)\t(none)\t0\t(none)\t0\t(none)',
  '',
].join('\n')

test('a line a package; public keys are none', () => {
  assert.deepEqual(packagesOf(rpmManifest, path, manifest), [
    {
      kind: 'rpm',
      name: 'mariner-release',
      version: '2.0-4.cm2',
      architecture: 'noarch',
      source: { name: 'mariner-release', version: '2.0-4.cm2' },
      vendor: 'Microsoft Corporation',
      installedAt: '2022-01-27T10:30:51.000Z',
    },
    {
      kind: 'rpm',
      name: 'harbour-base',
      version: '2:1.0-1.el9',
      architecture: 'noarch',
      source: { name: 'harbour-base', version: '2:1.0-1.el9' },
      vendor: 'AlmaLinux',
      installedAt: '2026-11-24T10:41:48.000Z',
    },
  ])
  assert.ok(!rpmManifest.wants('var/lib/rpmmanifest/container-manifest-1'))
})

test('in a distroless image of Mariner', async () => {
  const { packages, problems } = squash([
    await layerOf([
      ['etc/os-release', 'ID=mariner\nVERSION_ID="2.0"\n'],
      [path, manifest],
    ]),
  ])
  assert.deepEqual(problems, [])
  assert.deepEqual(
    packages.map(({ name, foreign }) => [name, foreign]),
    [
      ['mariner-release', undefined],
      ['harbour-base', true],
    ],
  )
})

test('any other line is a problem, with its number', () => {
  for (const line of [
    'a\t1-1',
    'a'.repeat(20_000),
    '\t'.repeat(9),
    'a b\t1-1\t1\t1\tx\t0\t0\tnoarch\t0\ta-1-1.src.rpm',
    'a\t1-1\t1\t1\tx\t0\t0\tnoarch\t-1\ta',
  ]) {
    assert.deepEqual(factsOf(rpmManifest, path, `\n${line}\n`), [{ problem: 'line 2: not a package as rpm -qa prints it' }])
  }
})

bearsAnything(rpmManifest, path, manifest)
