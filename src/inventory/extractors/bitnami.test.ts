import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bearsAnything, factsOf, packagesOf } from '../testing/extract.ts'
import { bitnami } from './bitnami.ts'

const path = 'opt/bitnami/postgresql/.spdx-postgresql.spdx'

const json = JSON.stringify({
  spdxVersion: 'SPDX-2.3',
  packages: [
    entry('pkg:bitnami/postgresql@17.2.0-8?arch=arm64&distro=debian-12', 'PostgreSQL'),
    entry('pkg:bitnami/geos@3.13.0?arch=arm64&distro=debian-12', 'NOASSERTION'),
    entry('pkg:npm/left-pad@1.0.0', 'MIT'),
  ],
})

const tags = `SPDXVersion: SPDX-2.3
PackageName: redis
PackageVersion: 7.4.1-0
PackageLicenseDeclared: RSALv2
ExternalRef: SECURITY cpe23Type cpe:2.3:*:redis:redis:7.4.1:*:*:*:*:*:*:*
ExternalRef: PACKAGE-MANAGER purl pkg:bitnami/redis@7.4.1-0?arch=arm64&distro=debian-12
`

test('documents as JSON and as tag and value; what is not of Bitnami is read where it lies', () => {
  assert.deepEqual(packagesOf(bitnami, path, json), [
    { kind: 'bitnami', name: 'postgresql', version: '17.2.0-8', licence: 'PostgreSQL' },
    { kind: 'bitnami', name: 'geos', version: '3.13.0' },
  ])
  assert.deepEqual(packagesOf(bitnami, 'opt/bitnami/redis/.spdx-redis.spdx', tags), [
    { kind: 'bitnami', name: 'redis', version: '7.4.1-0', licence: 'RSALv2' },
  ])
})

test('the list of components of older images', () => {
  const list = '{"gosu":{"arch":"amd64","version":"1.14.0-1"},"mongodb":{"version":"4.4.11-2"}}'
  assert.deepEqual(packagesOf(bitnami, 'opt/bitnami/.bitnami_components.json', list), [
    { kind: 'bitnami', name: 'gosu', version: '1.14.0-1' },
    { kind: 'bitnami', name: 'mongodb', version: '4.4.11-2' },
  ])
})

test('other places are not wanted', () => {
  for (const other of ['opt/x/.spdx-a.spdx', 'opt/bitnami/a.spdx', 'x/opt/bitnami/a/.spdx-a.spdx', 'opt/bitnami/a/.spdx-a.spdx.bak'])
    assert.ok(!bitnami.wants(other), other)
})

test('what is no document is a problem, and so is a component without a version', () => {
  for (const [text, why] of [
    ['{"packages":', /no SPDX document/],
    ['{"packages":{}}', /lists no packages/],
    ['[]', /neither JSON nor tag and value/],
    [`{"packages":[${'{},'.repeat(10_001)}{}]}`, /more than 10000/],
    [`SPDXVersion: SPDX-2.3\n${'ExternalRef: PACKAGE-MANAGER purl pkg:bitnami/a@1\n'.repeat(10_002)}`, /more than 10000/],
  ] as const)
    assert.match(JSON.stringify(factsOf(bitnami, path, text)), why)
  assert.match(JSON.stringify(factsOf(bitnami, 'opt/bitnami/.bitnami_components.json', '{"a":{}}')), /component without a name or version/)
  assert.deepEqual(factsOf(bitnami, path, JSON.stringify({ packages: [entry('pkg:bitnami/a', ''), entry('pkg:bitnami/%zz@1', '')] })), [])
})

bearsAnything(bitnami, path, json)
bearsAnything(bitnami, path, tags)

function entry(referenceLocator: string, licenseDeclared: string) {
  return { licenseDeclared, externalRefs: [{ referenceType: 'purl', referenceLocator }] }
}
