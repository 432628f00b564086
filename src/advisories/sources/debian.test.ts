import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { zstdDecompressSync } from 'node:zlib'
import fc from 'fast-check'
import { extract } from 'tar-stream'
import type { Advisory } from '../../model/advisory.ts'
import type { Fact } from '../form.ts'
import { Tally } from '../tally.ts'
import { each, now, readForm, sharedAdvisories, sharedLines, withoutShared } from '../test-support.ts'
import { debian } from './debian.ts'
import { debianChangelog } from './debian-changelog.ts'
import { debianTracker } from './debian-tracker.ts'

const list = `[29 Mar 2023] DSA-5380-1 xorg-server - security update
\t{CVE-2023-1393 CVE-2023-1394 nonsense}
\t[bullseye] - xorg-server 2:1.20.11-1+deb11u6
        [bookworm] - xorg-server  2:21.1.7-1 (low)
\t[sid] - xorg-server 9
\tNOTE: words with [bullseye] - xorg-server <unfixed>
[01 Feb 2012] DSA-2402-1 iceape - several
\t{CVE-2011-3670}
\t[squeeze] - iceape <not-affected> (Vulnerable code not present)
\t[wheezy] - iceape <end-of-life>
\t[jessie] - iceape <unfixed>
\t[stretch] - iceape <strange>
\t- iceape 1
[16 Jun 2007] DSA-1304 kernel-source-2.6.8 - several
\t[sarge] - kernel-source-2.6.8 2.6.8-16sarge7
[01 Jul 2022] DLA-3067-1 stretch-lts - end-of-life
`

async function readList(text: string): Promise<{ advisories: Advisory[]; dropped: Record<string, number> }> {
  const tally = new Tally()
  const advisories: Advisory[] = []
  for await (const fact of debian.read(each(text.split('\n')), { now, asOf: '2026-01-01T00:00:00Z', drop: tally.drop }))
    if (fact.kind === 'advisory') advisories.push(fact.advisory)
  return { advisories, dropped: Object.fromEntries(tally.list().map(({ reason, count }) => [reason, count])) }
}

test('announced advisories: fixes per release, and states that are no fixes', async () => {
  assert.equal(debian.recognisesText(list), true)
  const { advisories, dropped } = await readList(list)
  const range = (...events: Record<string, string>[]): unknown => [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, ...events] }]
  assert.deepEqual(
    advisories.map(({ id }) => id),
    ['DSA-5380-1', 'DSA-2402-1', 'DSA-1304'],
  )
  assert.deepEqual(advisories[0], {
    id: 'DSA-5380-1',
    aliases: [],
    upstream: ['CVE-2023-1393', 'CVE-2023-1394'],
    published: '2023-03-29T00:00:00Z',
    modified: '2023-03-29T00:00:00Z',
    severity: [],
    malicious: false,
    source: 'debian',
    affected: [
      { ecosystem: 'Debian:11', name: 'xorg-server', ranges: range({ fixed: '2:1.20.11-1+deb11u6' }), versions: [] },
      { ecosystem: 'Debian:12', name: 'xorg-server', ranges: range({ fixed: '2:21.1.7-1' }), versions: [] },
    ],
  })
  assert.deepEqual(
    advisories[1]?.affected.map(({ ecosystem, ranges, word }) => [ecosystem, ranges, word]),
    [
      ['Debian:6', [], 'not-affected'],
      ['Debian:7', range(), 'end-of-life'],
      ['Debian:8', range(), undefined],
    ],
  )
  assert.deepEqual(dropped, {
    'not a release': 1,
    'neither a version nor a known state': 1,
    'not a line of an advisory': 1,
    'names no package of a release': 1,
  })
})

test('the tracker: what the security team decided on a flaw without a fix', async () => {
  const cases: [object, string | undefined][] = [
    [{ nodsa: 'Minor issue', nodsa_reason: 'ignored' }, 'will-not-fix'],
    [{ nodsa: 'Minor issue', nodsa_reason: 'postponed' }, 'postponed'],
    [{ nodsa: 'Minor issue', nodsa_reason: '' }, 'no-advisory'],
    [{ urgency: 'end-of-life' }, 'end-of-life'],
    [{}, undefined],
    [{ nodsa: 7, nodsa_reason: ['ignored'] }, undefined],
  ]
  for (const [state, word] of cases) {
    const { facts } = await readForm(debianTracker, [{ a: { 'CVE-2024-1001': { releases: { bookworm: { status: 'open', ...state } } } } }])
    const [fact] = facts
    assert.equal(fact?.kind === 'advisory' ? fact.advisory.affected[0]?.word : 'none', word, JSON.stringify(state))
  }
})

test('any lines are read or counted', async () => {
  const line = fc.oneof(
    fc.constantFrom(...list.split('\n')),
    fc.string({ maxLength: 60 }),
    fc.constantFrom('\t[bookworm] - ', '\t{', '[99 Xyz 0000] DSA-1-1 a', '\t[bookworm] - a <a'),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(line, { maxLength: 20 }), async (lines) => {
      for (const { affected, upstream } of (await readList(lines.join('\n'))).advisories) {
        assert.ok(affected.length > 0 && upstream.every((id) => id.startsWith('CVE-')))
        assert.ok(
          affected.every(({ ranges }) => ranges.every(({ events }) => events.every((event) => !JSON.stringify(event).includes('<')))),
        )
      }
    }),
    { numRuns: 200 },
  )
})

test('the tracker: status, not affected, urgency', async () => {
  const release = (fields: object): object => ({ releases: { bookworm: { repositories: {}, ...fields }, sid: { status: 'open' } } })
  const { facts, dropped } = await readForm(debianTracker, [
    {
      openssl: {
        'CVE-2024-1001': release({ status: 'resolved', fixed_version: '3.0.14-1~deb12u1', urgency: 'not yet assigned' }),
        'CVE-2024-1002': release({ status: 'open', urgency: 'low**' }),
        'CVE-2024-1003': release({ status: 'resolved', fixed_version: '0', urgency: 'unimportant' }),
        'CVE-2024-1004': release({ status: 'undetermined' }),
        'TEMP-0000000-1A2B3C': release({ status: 'open', urgency: 'end-of-life' }),
        bad: release({ status: 'open' }),
        'CVE-2024-1005': { releases: 7 },
        'CVE-2024-1006': release({ status: 'resolved', fixed_version: '<0>' }),
      },
    },
    { '': 1 },
    'text',
  ])
  const said = facts.flatMap((fact) =>
    fact.kind === 'advisory' ? [[fact.advisory.id, fact.advisory.upstream, fact.advisory.affected]] : [],
  )
  assert.deepEqual(said, [
    [
      'DEBIAN-CVE-2024-1001',
      ['CVE-2024-1001'],
      [
        {
          ecosystem: 'Debian:12',
          name: 'openssl',
          ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed: '3.0.14-1~deb12u1' }] }],
          versions: [],
        },
      ],
    ],
    [
      'DEBIAN-CVE-2024-1002',
      ['CVE-2024-1002'],
      [
        {
          ecosystem: 'Debian:12',
          name: 'openssl',
          ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }] }],
          versions: [],
          severity: [{ type: 'label', value: 'low' }],
        },
      ],
    ],
    [
      'DEBIAN-CVE-2024-1003',
      ['CVE-2024-1003'],
      [{ ecosystem: 'Debian:12', name: 'openssl', ranges: [], versions: [], word: 'not-affected' }],
    ],
    [
      'DEBIAN-TEMP-0000000-1A2B3C',
      [],
      [
        {
          ecosystem: 'Debian:12',
          name: 'openssl',
          ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }] }],
          versions: [],
          word: 'end-of-life',
        },
      ],
    ],
  ])
  assert.deepEqual(dropped, {
    'not determined yet': 1,
    'not a flaw of the tracker': 2,
    'not a version': 1,
    'not a source package': 1,
  })
})

test('changelogs: the first version that names a flaw cures it, in whatever order they come', async () => {
  const lines = [
    {
      source: 'glibc',
      version: '2.36-9+deb12u8',
      dist: 'bookworm',
      date: 'Mon, 03 Mar 2025 21:32:32 +0800',
      cves: ['CVE-2024-2961', 'CVE-2024-33599'],
    },
    { source: 'glibc', version: '2.36-9+deb12u7', dist: 'bookworm-security', date: 'x', cves: ['CVE-2024-33599', 'CVE-1'] },
    { source: 'glibc', version: '2.36-9+deb12u6', dist: 'bookworm-security', date: 'x', cves: ['CVE-2024-2961'] },
    { source: 'glibc', version: '2.36-9+deb12u7', cves: ['CVE-2024-2961'] },
    { source: 'b', version: '1', cves: 7 },
    { source: 7 },
    null,
    { source: 'a', version: '1', cves: ['CVE-2024-1'], release: 'nowhere' },
  ]
  const { facts, dropped } = await readForm(debianChangelog, lines)
  const fixes = facts.map((fact: Fact) =>
    fact.kind === 'advisory'
      ? [fact.advisory.id, fact.advisory.affected[0]?.ecosystem, fact.advisory.affected[0]?.ranges[0]?.events[1]]
      : fact,
  )
  assert.deepEqual(fixes, [
    ['DEBIAN-CVE-2024-2961', 'Debian:12', { fixed: '2.36-9+deb12u6' }],
    ['DEBIAN-CVE-2024-33599', 'Debian:12', { fixed: '2.36-9+deb12u7' }],
  ])
  assert.deepEqual(dropped, { 'not a CVE id': 1, 'no list of CVEs': 1, 'no source package and version': 3 })
})

test('the public lists of 2023: every advisory with a package is read', { skip: withoutShared }, async () => {
  const archive = extract()
  archive.end(zstdDecompressSync(readFileSync(join(sharedAdvisories, 'debian-tracker-2023-04.tar.zst'))))
  const read = new Map<string, number>()
  for await (const entry of archive) {
    const chunks: Buffer[] = []
    for await (const chunk of entry) chunks.push(chunk as Buffer)
    const name = /^data\/(DSA|DLA)\/list$/.exec(entry.header.name)?.[1]
    if (name === undefined) continue
    const { advisories, dropped } = await readList(Buffer.concat(chunks).toString())
    read.set(name, advisories.length)
    assert.deepEqual(
      Object.keys(dropped).filter((reason) => reason !== 'names no package of a release'),
      [],
    )
    assert.equal(new Set(advisories.map(({ id }) => id)).size, advisories.length)
  }
  assert.deepEqual(Object.fromEntries(read), { DLA: 3530, DSA: 5383 })
})

test('the public changelog lines: 1,053 cures, each a version that dpkg knows', { skip: withoutShared }, async (t) => {
  const { facts, dropped } = await readForm(debianChangelog, sharedLines('debian-changelog-cves.jsonl.zst'))
  assert.equal(facts.length, 1053)
  assert.deepEqual(dropped, {})
  if (!existsSync('/usr/bin/dpkg')) return t.diagnostic('left out: no dpkg to check the versions')
  const versions = new Set(
    facts.flatMap((fact) =>
      fact.kind === 'advisory'
        ? fact.advisory.affected.flatMap(({ ranges }) =>
            ranges.flatMap(({ events }) => events.flatMap((event) => ('fixed' in event ? [event.fixed] : []))),
          )
        : [],
    ),
  )
  for (const version of [...versions].slice(0, 20)) execFileSync('dpkg', ['--validate-version', version])
})
