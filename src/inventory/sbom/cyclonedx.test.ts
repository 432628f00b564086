import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { digestOf } from '../../model/digest.ts'
import type { ImagePackage } from '../../model/package.ts'
import { purlOf } from '../purl.ts'
import { schemaCheck, storedSchema } from '../testing/schemas.ts'
import { toCycloneDx } from './cyclonedx.ts'
import { licencesOf } from './licences.ts'
import type { FoundIn } from './vulnerabilities.ts'

const digest = digestOf('sha256', 'a1b2c3d4'.repeat(8))
const release = { id: 'debian', versionId: '12', idLike: [], prettyName: 'Debian GNU/Linux 12 (bookworm)' }
const isValid = compileSchema()

const packages: ImagePackage[] = [
  image({
    kind: 'deb',
    name: 'libssl3',
    version: '1:3.0.11-1~deb12u2',
    architecture: 'amd64',
    source: { name: 'openssl', version: '3.0.11-1~deb12u2' },
  }),
  image({ kind: 'npm', name: '@scope/thing', version: '1.0.0', licence: 'MIT' }),
  {
    ...image({ kind: 'npm', name: '@scope/thing', version: '1.0.0', licence: 'MIT' }),
    location: 'srv/node_modules/@scope/thing/package.json',
  },
  image({ kind: 'pypi', name: 'requests', version: '2.31.0', licence: 'Apache 2.0, more or less' }),
]

const finding: FoundIn = {
  id: 'CVE-2024-1',
  ids: ['CVE-2024-1', 'DSA-1'],
  ecosystem: 'Debian:12',
  packageName: 'openssl',
  packageVersion: '3.0.11-1~deb12u2',
  severity: 'high',
  score: 7.5,
  fixedVersion: '3.0.11-1~deb12u3',
  knownExploited: true,
  malicious: false,
  published: '2024-01-01T00:00:00Z',
  sources: [{ id: 'DSA-1', source: 'debian' }],
  state: 'affected',
  places: [{ purl: packages[0]?.purl ?? '' }],
}

/** As much of a document as is looked at here. */
interface Document {
  components: { purl?: string; 'bom-ref': string; evidence?: { occurrences: unknown[] } }[]
  vulnerabilities: { affects: { ref: string }[]; analysis: { state: string } }[]
}

test('a document with packages, release and findings is valid by the published schema', () => {
  const document = toCycloneDx({
    name: 'shop/api',
    digest,
    packages,
    release,
    findings: [finding],
    createdAt: '2026-01-01T00:00:00Z',
  }) as Document
  assert.deepEqual(isValid(document), [])
  assert.deepEqual(
    document.components.map((component) => component.purl),
    [
      undefined,
      'pkg:deb/debian/libssl3@1:3.0.11-1~deb12u2?arch=amd64&distro=debian-12&upstream=openssl%403.0.11-1%7Edeb12u2',
      'pkg:npm/%40scope/thing@1.0.0',
      'pkg:pypi/requests@2.31.0',
    ],
  )
  assert.equal(document.components[2]?.evidence?.occurrences.length, 2)
  assert.deepEqual(
    document.vulnerabilities[0]?.affects.map(({ ref }) => ref),
    [document.components[1]?.['bom-ref']],
  )
  assert.equal(document.vulnerabilities[0]?.analysis.state, 'exploitable')
})

test('the schema check can fail', () => {
  const document = toCycloneDx({ name: 'x', digest, packages }) as Record<string, unknown>
  assert.notDeepEqual(isValid({ ...document, specVersion: 7 }), [])
  assert.notDeepEqual(isValid({ ...document, components: [{ type: 'library' }] }), [])
  assert.notDeepEqual(isValid({ ...document, serialNumber: 'one' }), [])
})

test('the same image gives the same bytes, another image another serial number', () => {
  const first = toCycloneDx({ name: 'x', digest, packages }) as { serialNumber: string }
  assert.deepEqual(first, toCycloneDx({ name: 'x', digest, packages }))
  const other = toCycloneDx({ name: 'x', digest: digestOf('sha256', 'f'.repeat(64)), packages }) as { serialNumber: string }
  assert.notEqual(first.serialNumber, other.serialNumber)
})

test('a finding that fits no package points at the image, and is not dropped', () => {
  const document = toCycloneDx({
    name: 'x',
    digest,
    packages: [],
    findings: [
      { ...finding, places: [] },
      { ...finding, packageName: 'other', places: [] },
    ],
  }) as Document
  assert.equal(document.vulnerabilities.length, 1)
  assert.deepEqual(
    document.vulnerabilities[0]?.affects.map(({ ref }) => ref),
    [`image:${digest}`],
  )
})

test('a licence is an identifier, an expression, or a name', () => {
  assert.deepEqual(licencesOf('mit'), [{ license: { id: 'MIT' } }])
  assert.deepEqual(licencesOf('MIT AND (Apache-2.0 OR GPL-2.0+)'), [{ expression: 'MIT AND (Apache-2.0 OR GPL-2.0+)' }])
  assert.deepEqual(licencesOf('MIT AND LicenseRef-Jam'), [{ expression: 'MIT AND LicenseRef-Jam' }])
  for (const text of ['MIT AND', '(MIT', 'MIT Apache-2.0', 'AND MIT', 'custom:thing', ')MIT('])
    assert.deepEqual(licencesOf(text), [{ license: { name: text } }])
  assert.deepEqual(licencesOf(undefined), [])
})

test('whatever packages and findings say, the document is valid', () => {
  const text = fc.string({ minLength: 1, unit: 'grapheme' }).filter((value) => value.trim() !== '')
  const pack = fc.record({ kind: fc.constantFrom('deb', 'apk', 'npm', 'pypi'), name: text, version: text, licence: fc.string() })
  const found = fc.record({
    id: text,
    packageName: text,
    packageVersion: text,
    severity: fc.constantFrom('unknown', 'none', 'low', 'critical'),
    published: fc.string(),
  })
  fc.assert(
    fc.property(fc.array(pack, { maxLength: 5 }), fc.array(found, { maxLength: 5 }), (packs, findings) => {
      const document = toCycloneDx({
        name: 'x',
        digest,
        packages: packs.map(image),
        release,
        findings: findings.map((some) => ({ ...finding, ...some })),
      })
      assert.deepEqual(isValid(JSON.parse(JSON.stringify(document))), [])
    }),
    { numRuns: 100 },
  )
})

function image(pack: Omit<ImagePackage, 'purl' | 'location' | 'layer'>): ImagePackage {
  return { ...pack, purl: purlOf(pack, release), location: 'some/where', layer: digest }
}

function compileSchema(): (document: unknown) => unknown[] {
  const schema = (name: string) => storedSchema(new URL(`fixtures/${name}.schema.json.zst`, import.meta.url))
  const others = ['spdx', 'jsf-0.82'].map((name) => [`http://cyclonedx.org/schema/${name}.SNAPSHOT.schema.json`, schema(name)])
  return schemaCheck(schema('bom-1.6'), Object.fromEntries(others) as Record<string, object>)
}
