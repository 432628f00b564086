import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { BaseImage, InBase } from '../../model/base.ts'
import { digestOf } from '../../model/digest.ts'
import { schemaCheck, storedSchema } from '../testing/schemas.ts'
import { toCycloneDx } from './cyclonedx.ts'
import type { FoundIn } from './vulnerabilities.ts'

const stored = (name: string) => storedSchema(new URL(`fixtures/${name}.schema.json.zst`, import.meta.url))
const problemsOf = schemaCheck(stored('bom-1.6'), {
  'http://cyclonedx.org/schema/spdx.SNAPSHOT.schema.json': stored('spdx'),
  'http://cyclonedx.org/schema/jsf-0.82.SNAPSHOT.schema.json': stored('jsf-0.82'),
})

interface Document {
  metadata: { properties?: { name: string; value: string }[] }
  vulnerabilities: { properties: { name: string; value: string }[] }[]
}

function document(base: BaseImage, ...inBase: InBase[]): Document {
  const findings = inBase.map((word, at): FoundIn => ({ ...found, packageName: `p${at}`, inBase: word }))
  const made = toCycloneDx({ name: 'shop/api', digest: digestOf('sha256', 'a'.repeat(64)), packages: [], findings, base })
  assert.deepEqual(problemsOf(made), [])
  return made as Document
}

const found: FoundIn = {
  id: 'CVE-2026-1',
  ids: ['CVE-2026-1'],
  ecosystem: 'npm',
  packageName: 'p',
  packageVersion: '1',
  severity: 'high',
  knownExploited: false,
  malicious: false,
  sources: [],
  state: 'affected',
  places: [],
}
const claim = { name: 'who/knows', digest: '\u0000' }

test('a base is told in properties of the document, all of them by the published schema', () => {
  const digest = digestOf('sha256', 'b'.repeat(64))
  const { metadata } = document({ known: 'declared', layers: 2, digest, names: ['a:1', 'a:2'], others: 3, claim })
  assert.deepEqual(
    metadata.properties?.map(({ name, value }) => [name.replace('lazaret:base:', ''), value]),
    [
      ['known', 'declared'],
      ['layers', '2'],
      ['digest', digest],
      ['name', 'a:1'],
      ['name', 'a:2'],
      ['claimed-name', 'who/knows'],
      ['claimed-digest', '\u0000'],
    ],
  )
  assert.deepEqual(document({ known: 'hidden', layers: 1 }).metadata.properties?.length, 2)
})

test('a flaw in several packages has one word for all, or `partly`', () => {
  const wordOf = (...inBase: InBase[]) =>
    document({ known: 'image', layers: 1 }, ...inBase).vulnerabilities[0]?.properties.map(({ value }) => value)
  assert.deepEqual(wordOf(true, true), ['true'])
  assert.deepEqual(wordOf(false), ['false'])
  assert.deepEqual(wordOf('unknown'), ['unknown'])
  assert.deepEqual(wordOf(true, false), ['partly'])
})
