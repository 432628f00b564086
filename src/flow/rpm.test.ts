// Packages of rpm, from their database to the findings and doubts of an image.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type OpenAdvisories, openAdvisories } from '../advisories/database.ts'
import { importAdvisories } from '../advisories/import.ts'
import { osvRecord, sharedAdvisories, withoutShared, writeLines } from '../advisories/test-support.ts'
import { fixture } from '../inventory/extractors/rpm/databases.testing.ts'
import { layerOf } from '../inventory/testing/tars.ts'
import type { Member } from '../inventory/testing/tars.ts'
import type { Digest } from '../model/digest.ts'
import type { Evidence } from '../model/verdict.ts'
import { assembleEvidence } from './assemble.ts'

const digest = `sha256:${'a'.repeat(64)}` as Digest
const now = new Date('2026-11-24T12:00:00Z')
const harbour: Member = ['var/lib/rpm/rpmdb.sqlite', fixture('harbour.sqlite')]
const owned: Member[] = [
  ['usr/lib/python3.9/site-packages/six-1.15.0.dist-info/METADATA', 'Metadata-Version: 2.1\nName: six\nVersion: 1.15.0\n'],
  ['usr/lib/python3.9/site-packages/requests-2.25.0.dist-info/METADATA', 'Metadata-Version: 2.1\nName: requests\nVersion: 2.25.0\n'],
]

const folder = mkdtempSync(join(tmpdir(), 'lazaret-rpm-'))
let advisories: OpenAdvisories

before(async () => {
  const alma = (id: string, name: string, fixed: string, summary = '') => osvRecord(id, 'AlmaLinux:9', name, fixed, { summary })
  const records = [
    alma('ALSA-1', 'harbour-base', '2:1.0-2.el9'),
    alma('ALSA-2', 'harbour-base', '1:9.0-1.el9'),
    alma('ALSA-3', 'harbour-node', '1:18.20.5-1.module_el9.4.0+111+6e5d0f9b', 'Important: nodejs:18 security update'),
    alma('ALSA-4', 'harbour-node', '1:20.1.0-1.module_el9.4.0+112+6e5d0f9b', 'Important: nodejs:20 security update'),
    // EPEL's package of the same name is another's.
    alma('ALSA-5', 'harbour-extra', '4.0-1.el9'),
    osvRecord('RLSA-1', 'Rocky Linux:9', 'harbour-perl', '4:5.32.1-482.el9'),
    osvRecord('RHSA-1', 'Red Hat:enterprise_linux:9::baseos', 'harbour-base', '2:1.0-2.el9'),
    osvRecord('RHSA-2', 'Red Hat:rhel_eus:9.2::baseos', 'harbour-base', '2:1.0-2.el9'),
    osvRecord('PYSEC-1', 'PyPI', 'six', '9'),
    osvRecord('PYSEC-2', 'PyPI', 'requests', '9'),
  ]
  const coverage = ['AlmaLinux:9', 'Rocky Linux:9', 'Red Hat:enterprise_linux:9::baseos', 'PyPI'].map((ecosystem) => ({
    ecosystem,
    depth: 'whole' as const,
    asOf: '2026-11-01T00:00:00Z',
    note: 'a test',
  }))
  await importAdvisories([writeLines(folder, 'records.jsonl', records)], folder, { bundled: false, coverage, now })
  advisories = openAdvisories(folder)
})
after(() => {
  advisories.close()
  rmSync(folder, { recursive: true, force: true })
})

test('Alma: by the names of binary packages, epochs, and the stream of a module', async () => {
  const evidence = await evidenceOf(release('almalinux', '9.4'), [harbour, ...owned])
  assert.deepEqual(flawsOf(evidence), ['ALSA-1 harbour-base', 'ALSA-3 harbour-node', 'PYSEC-2 requests'])
  assert.deepEqual(evidence.doubts, [
    {
      doubt: 'unsupported-component',
      detail: 'rpm packages that Fedora Project built, not the distribution (harbour-extra 3.1^git20240101-2.el9)',
    },
  ])
})

test('Rocky: by the source package, with the epoch that its other packages have', async () => {
  const rocky = flawsOf(await evidenceOf(release('rocky', '9.4'), [harbour]))
  // Here all that names another vendor is foreign: none is Rocky's.
  assert.deepEqual(rocky, [])
  const unsigned = fixture('harbour.sqlite')
  for (let at = 0; (at = unsigned.indexOf('AlmaLinux\0', at)) >= 0; at++) unsigned.write('RockyLinu', at, 'latin1')
  const evidence = await evidenceOf(release('rocky', '9.4'), [['var/lib/rpm/rpmdb.sqlite', unsigned]])
  assert.deepEqual(flawsOf(evidence), ['RLSA-1 harbour-perl'])
})

test('Red Hat: by the repositories of the release, and not by those of another channel', async () => {
  const database = fixture('harbour.sqlite')
  for (let at = 0; (at = database.indexOf('AlmaLinux\0', at)) >= 0; at++) database.write('Red Hat I', at, 'latin1')
  const evidence = await evidenceOf(release('rhel', '9.4'), [['var/lib/rpm/rpmdb.sqlite', database]])
  assert.deepEqual(flawsOf(evidence), ['RHSA-1 harbour-base'])
  assert.ok(!evidence.doubts.some(({ doubt }) => doubt === 'unsupported'))
})

test('a distribution without advisories is unsupported, by name', async () => {
  const unsupported = async (of: Member | undefined, detail: string) =>
    assert.deepEqual((await evidenceOf(of, [harbour])).doubts, [{ doubt: 'unsupported', detail }])
  await unsupported(['etc/os-release', 'ID=solus\nVERSION_ID=4.5\n'], 'its rpm packages are of solus 4.5, which has no advisories here')
  await unsupported(undefined, 'its rpm packages are of an unknown distribution (no os-release)')
  const other = await evidenceOf(release('almalinux', '8.10'), [harbour])
  assert.ok(other.doubts.some(({ doubt, detail }) => doubt === 'unsupported' && detail === 'there are no advisories for AlmaLinux:8 here'))
})

test('the release is said by an older file where os-release is missing', async () => {
  const evidence = await evidenceOf(['etc/redhat-release', 'AlmaLinux release 9.4 (Seafoam Ocelot)\n'], [harbour])
  assert.equal(evidence.ecosystem, 'AlmaLinux:9')
  assert.deepEqual(flawsOf(evidence), ['ALSA-1 harbour-base', 'ALSA-3 harbour-node'])
})

test('a database that can not be read makes the image unreadable', async () => {
  const cut = fixture('harbour.sqlite').subarray(0, 40_000)
  const evidence = await evidenceOf(release('almalinux', '9.4'), [['var/lib/rpm/rpmdb.sqlite', cut]])
  assert.match(evidence.doubts[0]?.detail ?? '', /var\/lib\/rpm\/rpmdb\.sqlite: it has 40000 bytes, and is cut short/)
  assert.equal(evidence.doubts[0]?.doubt, 'unreadable')
})

test("AlmaLinux's own records, all of them, are imported with their streams", { skip: withoutShared }, async () => {
  const data = join(folder, 'whole')
  const report = await importAdvisories([join(sharedAdvisories, 'almalinux.osv.jsonl.zst')], data, { bundled: false, now })
  assert.deepEqual([report.files[0]?.read, report.files[0]?.dropped], [5637, []])
  using whole = { database: openAdvisories(data), [Symbol.dispose]: () => whole.database.close() }
  assert.ok(whole.database.covers('AlmaLinux:8') && whole.database.covers('AlmaLinux:9') && !whole.database.covers('Rocky Linux:9'))
  const streams = new Set(
    whole.database.about('AlmaLinux:9', 'nodejs').flatMap(({ affected }) => affected.flatMap(({ modules }) => modules ?? [])),
  )
  for (const stream of ['nodejs:18', 'nodejs:20', 'nodejs:22']) assert.ok(streams.has(stream), stream)
})

function release(id: string, version: string): Member {
  return ['etc/os-release', `ID="${id}"\nVERSION_ID="${version}"\n`]
}

async function evidenceOf(of: Member | undefined, members: Member[]): Promise<Evidence> {
  const facts = await layerOf(of === undefined ? members : [of, ...members])
  return assembleEvidence({ digest, kind: 'image', config: { state: 'json' }, layers: [{ state: 'layer', facts }], advisories, now })
    .evidence
}

function flawsOf({ findings }: Evidence): string[] {
  return findings.map(({ id, packageName }) => `${id} ${packageName}`).sort()
}
