import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { forms } from '../forms.ts'
import { parseOsv } from '../osv.ts'
import { now, readForm, sharedLines, withoutShared } from '../test-support.ts'
import { exported, osvOf } from './exported.ts'
import { kev } from './kev.ts'
import { nodejs, npmRanges } from './nodejs.ts'
import { wolfi } from './wolfi.ts'

function history(...events: [string, string, object?][]): unknown {
  return {
    'schema-version': '2.0.2',
    package: { name: 'a' },
    advisories: [
      {
        id: 'CGA-1',
        aliases: ['CVE-2024-1', 'GHSA-1'],
        events: events.map(([timestamp, type, data]) => ({ timestamp, type, ...(data === undefined ? {} : { data }) })),
      },
    ],
  }
}

const fixed = (version: string): object => ({ 'fixed-version': version })

test('Wolfi: the last determination stands, a detection is none', async () => {
  const rangeOf = async (value: unknown): Promise<unknown> => {
    const { facts, dropped } = await readForm(wolfi, [value])
    const [fact] = facts
    const [affected] = fact?.kind === 'advisory' ? fact.advisory.affected : []
    return affected === undefined ? Object.keys(dropped) : (affected.ranges[0]?.events ?? affected.word)
  }
  assert.deepEqual(await rangeOf(history(['2024-01-01T00:00:00Z', 'detection'], ['2024-01-02T00:00:00Z', 'fixed', fixed('1-r2')])), [
    { introduced: '0' },
    { fixed: '1-r2' },
  ])
  assert.deepEqual(
    await rangeOf(history(['2024-01-02T00:00:00Z', 'fixed', fixed('1-r2')], ['2024-01-01T00:00:00Z', 'pending-upstream-fix'])),
    [{ introduced: '0' }, { fixed: '1-r2' }],
    'by time, not by place',
  )
  assert.deepEqual(await rangeOf(history(['2024-01-01T00:00:00Z', 'fixed', fixed('1-r2')], ['2024-01-02T00:00:00Z', 'detection'])), [
    { introduced: '0' },
    { fixed: '1-r2' },
  ])
  assert.deepEqual(await rangeOf(history(['2024-01-01T00:00:00Z', 'fixed', fixed('1-r2')], ['2024-01-02T00:00:00Z', 'fix-not-planned'])), [
    { introduced: '0' },
  ])
  assert.deepEqual(await rangeOf(history(['2024-01-01T00:00:00Z', 'detection'])), ['not determined yet'])
  assert.deepEqual(await rangeOf(history(['2024-01-01T00:00:00Z', 'fixed', fixed('0')])), 'not-affected')
  assert.deepEqual(await rangeOf(history(['2024-01-01T00:00:00Z', 'false-positive-determination'])), 'not-affected')
  assert.deepEqual(await rangeOf(history(['2024-01-01T00:00:00Z', 'fixed'])), ['not the form of a Wolfi advisory'])
  assert.deepEqual(await rangeOf({ 'schema-version': '2', package: 7, advisories: [] }), ['not the form of a Wolfi document'])
})

test('KEV: ids and days', async () => {
  const { facts, dropped } = await readForm(kev, [
    { catalogVersion: '1', vulnerabilities: [{ cveID: 'CVE-2024-3094', dateAdded: '2024-03-30' }, { cveID: 'x' }, null] },
  ])
  assert.deepEqual(facts, [{ kind: 'exploited', cve: 'CVE-2024-3094', addedOn: '2024-03-30T00:00:00Z' }])
  assert.deepEqual(dropped, { 'no CVE id': 2 })
})

test('npm ranges become OSV ranges, or are refused', () => {
  const events = (vulnerable: string, patched?: string): unknown => npmRanges(vulnerable, patched).map((range) => range.events)
  assert.deepEqual(events('<1.2.3 || >=2.0.0 <2.1.0'), [
    [{ introduced: '0' }, { fixed: '1.2.3' }],
    [{ introduced: '2.0.0' }, { fixed: '2.1.0' }],
  ])
  assert.deepEqual(events('<= 1.2.3'), [[{ introduced: '0' }, { lastAffected: '1.2.3' }]])
  assert.deepEqual(events('<=1.2.3', '>=1.3.0'), [[{ introduced: '0' }, { fixed: '1.3.0' }]])
  assert.deepEqual(events('>1.0.0 <=1.2.3', '>=1.3.0 || >= 2'), [[{ introduced: '1.0.1-0' }, { lastAffected: '1.2.3' }]])
  assert.deepEqual(events('*', '<0.0.0'), [[{ introduced: '0' }]])
  assert.deepEqual(events('=1.0.0-rc.1'), [[{ introduced: '1.0.0-rc.1' }, { lastAffected: '1.0.0-rc.1' }]])
  assert.deepEqual(events('~1.2.3'), [[{ introduced: '1.2.3' }, { fixed: '1.3.0-0' }]])
  assert.deepEqual(events('>= 1.0.0 <= 1.2 || 3.x'), [
    [{ introduced: '1.0.0' }, { fixed: '1.3.0-0' }],
    [{ introduced: '3.0.0-0' }, { fixed: '4.0.0-0' }],
  ])
  for (const word of ['><1', 'latest', '<', '1.2.3.4']) assert.throws(() => npmRanges(word, undefined), { name: 'FieldError' }, word)
})

test('an export line gives the record again', async () => {
  const claims = [{ type: 'CVSS_V3', value: 'CVSS:3.1/AV:N' } as const, { type: 'label', value: 'high' } as const]
  const advisory = {
    id: 'A-1',
    aliases: ['CVE-1'],
    upstream: ['CVE-2'],
    published: '2024-01-01T00:00:00Z',
    modified: '2024-01-02T00:00:00Z',
    withdrawn: '2024-01-03T00:00:00Z',
    severity: claims,
    malicious: false,
    source: 'debian',
    affected: [
      {
        ecosystem: 'Debian:12',
        name: 'a',
        ranges: [{ type: 'ECOSYSTEM' as const, events: [{ introduced: '0' }, { lastAffected: '1' }] }],
        versions: ['2'],
        severity: claims,
      },
    ],
  }
  const coverage = { ecosystem: 'Debian:12', depth: 'thin', asOf: '2024-01-01T00:00:00Z', note: 'n' }
  const { facts, dropped } = await readForm(exported, [
    { lazaretAdvisories: 1 },
    { coverage },
    { exploited: 'CVE-2024-0001', addedOn: '2024-01-01' },
    osvOf(advisory),
    { coverage: { depth: 'all' } },
    { exploited: 7 },
    7,
  ])
  assert.deepEqual(facts, [
    { kind: 'coverage', coverage },
    { kind: 'exploited', cve: 'CVE-2024-0001', addedOn: '2024-01-01T00:00:00Z' },
    { kind: 'advisory', merge: 'record', advisory },
  ])
  assert.equal(
    Object.values(dropped).reduce((sum, count) => sum + count, 0),
    3,
  )
  assert.ok('advisory' in parseOsv(osvOf(advisory), { source: 'osv', now }), 'and is an OSV record')
})

test('no value makes a form throw', async () => {
  const awkward = JSON.parse('{"toString":1,"valueOf":1}') as unknown
  for (const form of forms)
    await readForm(form, [
      history([awkward as string, 'fixed', fixed('1')]),
      { source: awkward, version: awkward, cves: [awkward], release: awkward },
      { id: awkward, vulnerable: awkward, cves: awkward, _file: awkward, module_name: awkward },
      { distroversion: awkward, packages: awkward },
    ])
  await fc.assert(
    fc.asyncProperty(fc.array(fc.jsonValue({ maxDepth: 4 }), { maxLength: 4 }), async (values) => {
      for (const form of forms) await readForm(form, values)
    }),
    { numRuns: 200 },
  )
  const near = fc.record(
    {
      'schema-version': fc.jsonValue(),
      package: fc.jsonValue(),
      advisories: fc.array(
        fc.record(
          {
            id: fc.jsonValue(),
            events: fc.array(
              fc.record({ type: fc.constantFrom('fixed', 'detection', 7), timestamp: fc.jsonValue(), data: fc.jsonValue() }),
            ),
          },
          { noNullPrototype: true },
        ),
      ),
      module_name: fc.jsonValue(),
      id: fc.jsonValue(),
      cves: fc.jsonValue(),
      vulnerable_versions: fc.oneof(fc.string(), fc.jsonValue()),
      vulnerabilities: fc.jsonValue(),
    },
    { noNullPrototype: true },
  )
  await fc.assert(
    fc.asyncProperty(near, async (value) => {
      for (const form of forms) await readForm(form, [value])
    }),
    { numRuns: 200 },
  )
})

test('the public lists of Wolfi, CISA and the Node.js group', { skip: withoutShared }, async () => {
  const fromWolfi = await readForm(wolfi, sharedLines('wolfi-advisories-2025-05.jsonl.zst'))
  assert.deepEqual([fromWolfi.facts.length, fromWolfi.dropped], [17_472, { 'not determined yet': 3298 }])
  const fromNode = await readForm(nodejs, sharedLines('nodejs-security-wg.jsonl.zst'))
  assert.deepEqual([fromNode.facts.length, fromNode.dropped], [467, { 'about Node.js itself, not a package': 177 }])
})
