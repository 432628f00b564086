import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sharedLines, readForm, withoutShared } from '../test-support.ts'
import { elixir } from './elixir.ts'
import { friendsofphp } from './friendsofphp.ts'
import { betweenCleared, ruby } from './ruby.ts'

test('ruby: what lies between the versions without the flaw', () => {
  const cases: [string[], unknown][] = [
    [[], [{ introduced: '0' }]],
    [['>= 4.3.0'], [{ introduced: '0' }, { fixed: '4.3.0' }]],
    [['> 4.3.0'], [{ introduced: '0' }, { lastAffected: '4.3.0' }]],
    [
      ['< 1.5.0', '>= 2.0'],
      [{ introduced: '1.5.0' }, { fixed: '2.0' }],
    ],
    [
      ['<= 1.5.0', '>= 2.0'],
      [{ introduced: '1.5.0.0.1' }, { fixed: '2.0' }],
    ],
    [
      ['>= 3.0.4.1', '~> 2.0.9, >= 2.0.9.2', '~> 2.1.4, >= 2.1.4.2'],
      [
        { introduced: '0' },
        { fixed: '2.0.9.2' },
        { introduced: '2.1.A' },
        { fixed: '2.1.4.2' },
        { introduced: '2.2.A' },
        { fixed: '3.0.4.1' },
      ],
    ],
    [
      ['>= 1.0', '>= 2.0'],
      [{ introduced: '0' }, { fixed: '1.0' }],
    ],
    [['~> 1.2'], [{ introduced: '0' }, { fixed: '1.2' }, { introduced: '2.A' }]],
    [['~> 1'], [{ introduced: '0' }, { fixed: '1' }, { introduced: '2.A' }]],
    [['>= 0'], [{ introduced: '0' }, { fixed: '0' }]],
    [['= 1.5'], [{ introduced: '0' }, { fixed: '1.5' }, { introduced: '1.5.0.1' }]],
    [['>= 2, < 1'], [{ introduced: '0' }]],
  ]
  for (const [cleared, events] of cases) assert.deepEqual(betweenCleared(cleared), events, cleared.join(' | '))
  for (const word of ['latest', '', '>= ', '!= 1', '>= 1.0 || < 2'])
    assert.throws(() => betweenCleared([word]), { name: 'FieldError' }, word)
})

test('ruby, php, elixir: a record each, in their words', async () => {
  const fromRuby = await readForm(ruby, [
    {
      _file: 'gems/rack/CVE-2022-44570.yml',
      gem: 'rack',
      cve: '2022-44570',
      ghsa: '65f5-mfpf-vfhj',
      url: 'u',
      date: '2023-01-18',
      cvss_v3: 7.5,
      patched_versions: ['>= 3.0.4.1'],
    },
    { _file: 'rubies/ruby/CVE-2020-1.yml', engine: 'ruby', url: 'u' },
    { _file: 'gems/x/../../y.yml', gem: 'x', url: 'u', patched_versions: ['soon'] },
  ])
  assert.deepEqual(fromRuby.dropped, { 'about Ruby itself, not a gem': 1, 'versions: not a bound of a version': 1 })
  assert.deepEqual(fromRuby.facts, [
    {
      kind: 'advisory',
      merge: 'record',
      advisory: {
        id: 'RUBYSEC-rack/CVE-2022-44570',
        aliases: ['CVE-2022-44570', 'GHSA-65f5-mfpf-vfhj'],
        upstream: [],
        published: '2023-01-18T00:00:00Z',
        modified: '2026-10-01T00:00:00Z',
        severity: [{ type: 'label', value: 'high' }],
        affected: [
          {
            ecosystem: 'RubyGems',
            name: 'rack',
            ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed: '3.0.4.1' }] }],
            versions: [],
          },
        ],
        malicious: false,
        source: 'ruby',
      },
    },
  ])
  const fromPhp = await readForm(friendsofphp, [
    {
      _file: 'twig/twig/CVE-2022-39261.yaml',
      cve: 'CVE-2022-39261',
      reference: 'composer://Twig/twig',
      branches: { '1.x': { time: '2022-09-28 12:00:00', versions: ['>=1.0.0', '<1.44.7'] }, '2.x': { versions: ['<=2.15'] } },
    },
    { _file: 'a/b/c.yaml', reference: 'composer://a/b', branches: {} },
  ])
  assert.deepEqual(fromPhp.dropped, { 'branches: empty': 1 })
  const [php] = fromPhp.facts
  assert.ok(php?.kind === 'advisory')
  assert.deepEqual([php.advisory.id, php.advisory.aliases], ['FOP-twig/twig/CVE-2022-39261', ['CVE-2022-39261']])
  assert.deepEqual(
    php.advisory.affected.map(({ ecosystem, name, ranges }) => [ecosystem, name, ranges.map(({ events }) => events)]),
    [
      [
        'Packagist',
        'twig/twig',
        [
          [{ introduced: '1.0.0' }, { fixed: '1.44.7' }],
          [{ introduced: '0' }, { lastAffected: '2.15.0.0' }],
        ],
      ],
    ],
  )
  const fromElixir = await readForm(elixir, [
    { id: 'GHSA-aaaa-bbbb-cccc', package: 'plug', vulnerable_version_ranges: ['>= 1.3.0, < 1.3.2'], severity: 'high' },
    { id: 'GHSA-aaaa-bbbb-cccd', package: 'plug', vulnerable_version_ranges: ['all'] },
  ])
  assert.deepEqual(fromElixir.dropped, { 'vulnerable_version_ranges: not a bound of a version': 1 })
  assert.equal(fromElixir.facts.length, 1)
})

test('the public lists of Ruby, PHP and Elixir', { skip: withoutShared }, async () => {
  const fromRuby = await readForm(ruby, sharedLines('ruby-advisory-db.jsonl.zst'))
  assert.deepEqual([fromRuby.facts.length, fromRuby.dropped], [1234, { 'about Ruby itself, not a gem': 147 }])
  const fromPhp = await readForm(friendsofphp, sharedLines('friendsofphp.jsonl.zst'))
  assert.deepEqual([fromPhp.facts.length, fromPhp.dropped], [1592, {}])
  const fromElixir = await readForm(elixir, sharedLines('elixir-advisories.jsonl.zst'))
  assert.deepEqual([fromElixir.facts.length, fromElixir.dropped], [108, {}])
})
