import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { OpenAdvisories } from '../advisories/database.ts'
import { advisory, affects, readerOf } from '../match/reader.testing.ts'
import type { Digest } from '../model/digest.ts'
import type { Evidence } from '../model/verdict.ts'
import { changedNames, rematched } from './rematched.ts'

const critical = { severity: [{ type: 'label' as const, value: 'critical' }] }

/** Advisories of npm and PyPI as of a day. */
function advisoriesOf(records: ReturnType<typeof advisory>[], asOf: string): OpenAdvisories {
  return {
    ...readerOf({ advisories: records }),
    revision: `000009-${asOf.slice(0, 10).replaceAll('-', '')}`,
    coverage: (ecosystem: string) => ({ ecosystem, depth: 'whole', asOf, note: '' }),
    changedSince: () => 'all',
    changesSince: () => 'all',
    artifactsBy: () => [],
    status: () => assert.fail(),
    close: () => undefined,
  } as OpenAdvisories
}

function evidenceOf(): Evidence {
  return {
    digest: `sha256:${'a'.repeat(64)}` as Digest,
    kind: 'image',
    packages: ['left', 'right'].map((name) => ({
      kind: 'npm',
      name,
      version: '1.0.0',
      purl: `pkg:npm/${name}@1.0.0`,
      location: name,
      layer: 'l',
    })),
    findings: [],
    doubts: [{ doubt: 'unsupported-component', detail: 'something else' }],
    advisoryRevision: '000008-20270101',
    advisoryDate: '2027-01-01T00:00:00Z',
    examinedAt: '2027-01-01T00:00:00Z',
  }
}

test('a package that is spoken of otherwise is matched again, another is not, whatever the advisories say of it', () => {
  const flaws = [
    advisory('GHSA-1', [affects('npm', 'left', 'introduced 0, fixed 2.0.0')], critical),
    advisory('GHSA-2', [affects('npm', 'right', 'introduced 0')], critical),
  ]
  const advisories = advisoriesOf(flaws, '2027-02-01T00:00:00Z')
  const moved = rematched(evidenceOf(), changedNames([{ ecosystem: 'npm', name: 'left' }]), advisories, false)
  assert.deepEqual(
    moved?.evidence.findings.map(({ id, packageName }) => `${id} ${packageName}`),
    ['GHSA-1 left'],
  )
  assert.deepEqual([moved?.evidence.advisoryRevision, moved?.evidence.doubts], [advisories.revision, evidenceOf().doubts])
  assert.equal(rematched(evidenceOf(), changedNames([{ ecosystem: 'PyPI', name: 'left' }]), advisories, false), undefined)
  const back = rematched(
    moved?.evidence ?? assert.fail(),
    changedNames([{ ecosystem: 'npm', name: 'left' }]),
    advisoriesOf([], '2027-02-02T00:00:00Z'),
    false,
  )
  assert.deepEqual(back?.evidence.findings, [])
})

test('a change that comes to the same leaves the evidence as it is, unless its age is what is asked', () => {
  const advisories = advisoriesOf([advisory('GHSA-1', [affects('npm', 'left', 'introduced 5.0.0')])], '2027-02-01T00:00:00Z')
  const names = changedNames([{ ecosystem: 'npm', name: 'left' }])
  assert.equal(rematched(evidenceOf(), names, advisories, false), undefined)
  assert.equal(rematched(evidenceOf(), names, advisories, true)?.evidence.advisoryDate, '2027-02-01T00:00:00Z')
})

test('a version that can not be compared is a doubt for as long as a record speaks of it', () => {
  const odd = { ...evidenceOf(), packages: evidenceOf().packages.map((pkg) => ({ ...pkg, version: 'of this morning' })) }
  const names = changedNames([{ ecosystem: 'npm', name: 'left' }])
  const doubted = rematched(
    odd,
    names,
    advisoriesOf([advisory('GHSA-1', [affects('npm', 'left', 'introduced 0, fixed 2.0.0')])], '2027-02-01T00:00:00Z'),
    false,
  )
  assert.deepEqual(
    doubted?.evidence.doubts.map(({ doubt }) => doubt),
    ['unsupported-component', 'unknown-version'],
  )
  const cleared = rematched(doubted?.evidence ?? assert.fail(), names, advisoriesOf([], '2027-02-01T00:00:00Z'), false)
  assert.deepEqual(cleared?.evidence.doubts, odd.doubts)
})

test('names are found under every spelling of the ecosystem, and of the name', () => {
  const names = changedNames([
    { ecosystem: 'Debian', name: 'openssl' },
    { ecosystem: 'PyPI', name: 'ruamel-yaml' },
  ])
  const has = (ecosystem: string, name: string) => names.has({ ecosystem, name, version: '1' })
  assert.deepEqual(
    [has('Debian:12', 'openssl'), has('PyPI', 'Ruamel.Yaml'), has('Alpine:v3.20', 'openssl'), has('Debian:12', 'curl')],
    [true, true, false, false],
  )
})
