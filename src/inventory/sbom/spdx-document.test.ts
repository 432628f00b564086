import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { digestOf } from '../../model/digest.ts'
import type { ImagePackage } from '../../model/package.ts'
import { purlOf } from '../purl.ts'
import { schemaCheck, storedSchema } from '../testing/schemas.ts'
import { toSpdx } from './spdx-document.ts'

const digest = digestOf('sha256', 'a1b2c3d4'.repeat(8))
const release = { id: 'debian', versionId: '12', idLike: [], prettyName: 'Debian GNU/Linux 12 (bookworm)' }
const problemsOf = schemaCheck(storedSchema(new URL('fixtures/spdx-2.3.schema.json.zst', import.meta.url)))

interface Document {
  packages: { SPDXID: string; name: string; licenseDeclared: string; sourceInfo?: string; externalRefs?: { referenceLocator: string }[] }[]
  relationships: { spdxElementId: string; relationshipType: string; relatedSpdxElement: string }[]
  hasExtractedLicensingInfos?: { licenseId: string; extractedText: string }[]
  creationInfo: { created: string }
}

test('a document with a release and packages is valid by the published schema, and every package is contained once', () => {
  const packages = [
    image({ kind: 'deb', name: 'libssl3', version: '3.0.11-1', source: { name: 'openssl', version: '3.0.11-1' } }),
    image({ kind: 'npm', name: '@scope/thing', version: '1.0.0', licence: 'MIT' }),
    { ...image({ kind: 'npm', name: '@scope/thing', version: '1.0.0', licence: 'MIT' }), location: 'else/where' },
    { ...image({ kind: 'pypi', name: 'requests', version: '2.31.0', licence: 'Apache 2.0, more or less' }), ownedBy: 'python3-requests' },
  ]
  const document = toSpdx({ name: 'shop/api', digest, packages, release, createdAt: '2026-01-02T03:04:05.678Z' }) as Document
  assert.deepEqual(problemsOf(document), [])
  assert.deepEqual(
    document.packages.map(({ name }) => name),
    ['shop/api', 'debian', 'libssl3', '@scope/thing', 'requests'],
  )
  assert.equal(document.creationInfo.created, '2026-01-02T03:04:05Z')
  assert.match(document.packages[2]?.externalRefs?.[0]?.referenceLocator ?? '', /^pkg:deb\/debian\/libssl3@3\.0\.11-1\?.*upstream=openssl$/)
  assert.match(document.packages[3]?.sourceInfo ?? '', /^found at \/some\/where, \/else\/where; brought by layer sha256:/)
  assert.match(document.packages[4]?.sourceInfo ?? '', /; owned by python3-requests$/)
  assert.equal(document.packages[3]?.licenseDeclared, 'MIT')
  assert.deepEqual(
    document.hasExtractedLicensingInfos?.map(({ licenseId, extractedText }) => [licenseId, extractedText]),
    [[document.packages[4]?.licenseDeclared, 'Apache 2.0, more or less']],
  )
  const [, ...contained] = document.relationships
  assert.deepEqual(
    contained.map(({ relatedSpdxElement }) => relatedSpdxElement),
    document.packages.slice(1).map(({ SPDXID }) => SPDXID),
  )
})

test('a licence that no list has is declared, once, in an expression too', () => {
  const licence = 'MIT AND (LicenseRef-Jam OR LicenseRef-public-domain)'
  const packages = ['a', 'b'].map((name) => image({ kind: 'deb', name, version: '1', licence }))
  const document = toSpdx({ name: 'x', digest, packages, release }) as Document
  assert.deepEqual(problemsOf(document), [])
  assert.deepEqual(
    document.packages.slice(2).map(({ licenseDeclared }) => licenseDeclared),
    [licence, licence],
  )
  assert.deepEqual(
    document.hasExtractedLicensingInfos?.map(({ licenseId, extractedText }) => [licenseId, extractedText]),
    [
      ['LicenseRef-Jam', 'The package names it: Jam'],
      ['LicenseRef-public-domain', 'The package names it: public domain'],
    ],
  )
})

test('the schema check can fail', () => {
  const document = toSpdx({ name: 'x', digest, packages: [] }) as Record<string, unknown>
  assert.deepEqual(problemsOf(document), [])
  assert.notDeepEqual(problemsOf({ ...document, packages: [{ name: 'no id' }] }), [])
  assert.notDeepEqual(problemsOf({ ...document, SPDXID: 7 }), [])
})

test('whatever packages say, the document is valid, and no two packages have one id', () => {
  const text = fc.string({ minLength: 1, unit: 'grapheme' }).filter((value) => value.trim() !== '')
  const pack = fc.record({ kind: fc.constantFrom('deb', 'apk', 'npm', 'pypi'), name: text, version: text, licence: fc.string() })
  fc.assert(
    fc.property(fc.array(pack, { maxLength: 8 }), (packs) => {
      const document = toSpdx({ name: 'x', digest, packages: packs.map(image), release }) as Document
      assert.deepEqual(problemsOf(document), [])
      const ids = document.packages.map(({ SPDXID }) => SPDXID)
      assert.equal(new Set(ids).size, ids.length)
      for (const id of ids) assert.match(id, /^SPDXRef-[A-Za-z0-9.-]+$/)
    }),
    { numRuns: 100 },
  )
})

function image(pack: Omit<ImagePackage, 'purl' | 'location' | 'layer'>): ImagePackage {
  return { ...pack, purl: purlOf(pack, release), location: 'some/where', layer: digest }
}
