import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readForm, sharedLines, withoutShared } from '../test-support.ts'
import { alpine } from './alpine.ts'

function database(secfixes: unknown, name: unknown = 'xen', distroversion: unknown = 'v3.20'): unknown {
  return { distroversion, reponame: 'main', archs: [], packages: [{ pkg: { name, secfixes } }] }
}

async function read(...values: unknown[]): Promise<{ said: Record<string, unknown>; dropped: Record<string, number> }> {
  const { facts, dropped } = await readForm(alpine, values)
  const said = facts.flatMap((fact) =>
    fact.kind === 'advisory'
      ? [
          [
            `${fact.advisory.id} ${fact.advisory.affected[0]?.ecosystem} ${fact.advisory.affected[0]?.name}`,
            [
              fact.advisory.upstream,
              fact.advisory.affected[0]?.ranges.map(({ events }) => Object.values(events[1] ?? {})[0]),
              ...(fact.advisory.affected[0]?.word === undefined ? [] : [fact.advisory.affected[0].word]),
            ],
          ] as const,
        ]
      : [],
  )
  return { said: Object.fromEntries(said), dropped }
}

test('a security database: each flaw with the versions that cured it', async () => {
  assert.equal(alpine.recognises(database({})), true)
  assert.equal(alpine.recognises({ branch: 'edge', pkgname: 'a', secfixes: {} }), true)
  assert.equal(alpine.recognises({ id: 'A-1' }), false)
  const { said, dropped } = await read(
    database({
      '0': ['CVE-2020-1111', 'CVE-2020-1112 (+ some words)'],
      '4.14-r0': ['CVE-2021-28694 XSA-378', 'CVE-2021-0001 CVE-2021-0002 XSA-380', 'CVE-2024-7777 GHSA-h63h-5c77-77p5', 'XSA-344'],
      '4.15-r1': [
        'CVE-2021-28694',
        'CVE_2019-2426',
        'CVE 2019-2427',
        'CVE-2018-1000156.patch',
        'CVE-2022-4415 (Not affected, requires --with-systemd)',
        'CVE-????-????? XSA-295',
        'ELEMENTSEC-2021-1, GHSA-aaaa-bbbb-cccc',
        7,
      ],
    }),
  )
  assert.deepEqual(said, {
    'ALPINE-CVE-2020-1111 Alpine:v3.20 xen': [['CVE-2020-1111'], [], 'not-affected'],
    'ALPINE-CVE-2020-1112 Alpine:v3.20 xen': [['CVE-2020-1112'], [], 'not-affected'],
    'ALPINE-CVE-2022-4415 Alpine:v3.20 xen': [['CVE-2022-4415'], [], 'not-affected'],
    'ALPINE-CVE-2021-28694 Alpine:v3.20 xen': [['CVE-2021-28694'], ['4.14-r0', '4.15-r1']],
    'ALPINE-CVE-2021-0001 Alpine:v3.20 xen': [['CVE-2021-0001'], ['4.14-r0']],
    'ALPINE-CVE-2021-0002 Alpine:v3.20 xen': [['CVE-2021-0002'], ['4.14-r0']],
    'ALPINE-CVE-2024-7777 Alpine:v3.20 xen': [['CVE-2024-7777', 'GHSA-h63h-5c77-77p5'], ['4.14-r0']],
    'ALPINE-XSA-344 Alpine:v3.20 xen': [['XSA-344'], ['4.14-r0']],
    'ALPINE-CVE-2019-2426 Alpine:v3.20 xen': [['CVE-2019-2426'], ['4.15-r1']],
    'ALPINE-CVE-2019-2427 Alpine:v3.20 xen': [['CVE-2019-2427'], ['4.15-r1']],
    'ALPINE-CVE-2018-1000156 Alpine:v3.20 xen': [['CVE-2018-1000156'], ['4.15-r1']],
    'ALPINE-GHSA-aaaa-bbbb-cccc Alpine:v3.20 xen': [['GHSA-aaaa-bbbb-cccc'], ['4.15-r1']],
  })
  assert.deepEqual(dropped, { 'not an id': 2 })
})

test('recipes: a line per package, edge among the branches', async () => {
  const { said } = await read({
    branch: 'edge',
    repo: 'main',
    dir: 'a',
    pkgname: 'a',
    pkgver: '1',
    pkgrel: '0',
    secfixes: { '1.2-r0': ['CVE-2024-0001'] },
  })
  assert.deepEqual(said, { 'ALPINE-CVE-2024-0001 Alpine:edge a': [['CVE-2024-0001'], ['1.2-r0']] })
})

test('what has another form is counted', async () => {
  const { said, dropped } = await read(
    database({}, 'a', '3.20; drop'),
    database({}, 7),
    database([]),
    database({ '1 2': ['CVE-2024-0001'], '1-r0': 'CVE-2024-0002', '2-r0': null }),
    database({ '1-r0': ['CVE-2024-0001'] }, 'linux-$_flavor'),
    { distroversion: 'v3.3', packages: null },
    7,
  )
  assert.deepEqual(said, {})
  assert.deepEqual(dropped, { 'no branch': 2, 'not the form of a security database': 3, 'not a version': 1, 'ids are not a list': 1 })
})

test('any texts give ids of ours or are counted', async () => {
  const id = fc.oneof(
    fc.string({ maxLength: 40 }),
    fc.constantFrom('CVE-2024-', 'CVE-2024-12345 CVE', 'GHSA-', 'XSA-', '((((', 'a-'.repeat(300)),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(id, { maxLength: 5 }), fc.string({ maxLength: 10 }), async (ids, version) => {
      const { facts } = await readForm(alpine, [database({ [version]: ids })])
      for (const fact of facts)
        assert.ok(fact.kind === 'advisory' && /^ALPINE-[A-Za-z0-9-]+$/.test(fact.advisory.id) && fact.advisory.upstream.length > 0)
    }),
    { numRuns: 300 },
  )
})

test('the public lists', { skip: withoutShared }, async () => {
  const old = await readForm(alpine, sharedLines('alpine-secdb-2020-06.jsonl.zst'))
  assert.deepEqual([old.facts.length, old.dropped], [11_867, { 'not an id': 14 }])
  const recipes = await readForm(alpine, sharedLines('alpine-aports-secfixes.jsonl.zst'))
  assert.deepEqual([recipes.facts.length, recipes.dropped], [36_545, { 'not the form of a security database': 28, 'not an id': 2 }])
})
