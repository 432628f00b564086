// The bench of accuracy: what it counts is what it says, and Lazaret is right where scanners are known to err (docs/comparison.md).

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, describe, test } from 'node:test'
import { flawsOf } from '../../bench/accuracy/findings.ts'
import { writeGrypeDatabase } from '../../bench/accuracy/grype-database.ts'
import { keyOf, named, namedBy } from '../../bench/accuracy/named.ts'
import { places } from '../../bench/accuracy/places.ts'
import { keptIn, type Recipe } from '../../bench/accuracy/recipe.ts'
import { affectedBy } from '../../bench/accuracy/records.ts'
import { truthOf } from '../../bench/accuracy/recipes/go.ts'
import { lazaretIn } from '../../bench/accuracy/scanners.ts'
import { scoreOf, together } from '../../bench/accuracy/score.ts'
import { printAccuracy } from '../../bench/accuracy/table.ts'
import { scratch } from '../support/scratch.ts'

const stack = new AsyncDisposableStack()
after(() => stack.disposeAsync())

describe('Lazaret is right where scanners are known to err', () => {
  for (const place of places)
    test(`${place.name}: ${place.what}`, async () => {
      const folder = await scratch(stack, `place-${place.name}`)
      const { archive, truth } = await keptIn(folder, place)
      assert.ok(truth.packages.length > 0)
      const { missed, extra } = scoreOf(truth, await lazaretIn(folder).list(archive))
      assert.deepEqual({ missed, extra }, { missed: [], extra: [] })
    })
})

test('a package is spelled in one way, whoever names it', () => {
  const spelled: Record<string, string> = {
    'pkg:deb/debian/libssl3@3.0.11-1~deb12u2?arch=amd64&distro=debian-12': 'deb libssl3 3.0.11-1~deb12u2',
    'pkg:deb/debian/tar@1%3A1.34?epoch=1': 'deb tar 1:1.34',
    'pkg:deb/debian/login@4.13+dfsg1-1?arch=amd64&epoch=1': 'deb login 1:4.13+dfsg1-1',
    'pkg:rpm/fedora/bash@5.2-1.fc40?epoch=2': 'rpm bash 2:5.2-1.fc40',
    'pkg:rpm/fedora/bash@5.2-1.fc40?epoch=0': 'rpm bash 5.2-1.fc40',
    'pkg:npm/%40hapi/boom@9.1.0': 'npm @hapi/boom 9.1.0',
    'pkg:pypi/Ruamel.Yaml_x@0.17': 'pypi ruamel-yaml-x 0.17',
    'pkg:maven/org.slf4j/slf4j-api@1.7.32': 'maven org.slf4j:slf4j-api 1.7.32',
    'pkg:golang/stdlib@v1.26.8': 'golang stdlib 1.26.8',
    'pkg:golang/golang.org/x/text@v0.3.7': 'golang golang.org/x/text 0.3.7',
    'pkg:nuget/Newtonsoft.Json@12.0.3': 'nuget newtonsoft.json 12.0.3',
  }
  for (const [purl, expected] of Object.entries(spelled)) assert.equal(keyOf(namedBy(purl) ?? named('', '', '')), expected)
  assert.equal(namedBy('pkg:generic/nginx@1.25.1'), undefined)
  assert.throws(() => namedBy('nginx'))
})

test('what is missed and what is made up count once; what has two names is found by either', () => {
  const [a, b, c] = ['a', 'b', 'c'].map((name) => named('npm', name, '1')) as [
    ReturnType<typeof named>,
    ReturnType<typeof named>,
    ReturnType<typeof named>,
  ]
  const truth = { packages: [a, a, { ...b, or: [named('pypi', 'b', '1')] }], either: [c] }
  assert.deepEqual(scoreOf(truth, [a, a, named('pypi', 'b', '1'), c]), { hits: 2, missed: [], extra: [], recall: 1, precision: 1 })
  const wrong = scoreOf(truth, [a, named('npm', 'a', '2'), named('npm', 'a', '2')])
  assert.deepEqual(wrong, { hits: 1, missed: ['npm b 1'], extra: ['npm a 2'], recall: 0.5, precision: 0.5 })
  assert.deepEqual(together([wrong, scoreOf({ packages: [c] }, [c])]), {
    hits: 2,
    missed: ['npm b 1'],
    extra: ['npm a 2'],
    recall: 2 / 3,
    precision: 2 / 3,
  })
  assert.equal(scoreOf({ packages: [] }, []).recall, 1)
  assert.equal(scoreOf({ packages: [] }, [a]).precision, 0)
})

test('what Go prints of a program is its truth: a replaced module is what replaced it', () => {
  const printed = [
    '/bin/a: go1.22.1 X:loopvar',
    '\tpath\texample.org/a',
    '\tmod\texample.org/a\t(devel)\t',
    '\tdep\tgopkg.in/yaml.v3\tv3.0.0\th1:x',
    '\tdep\told.example/b\tv1.0.0',
    '\t=>\tnew.example/b\tv1.0.1\th1:y',
    '\tbuild\t-compiler=gc',
  ]
  const { packages, either } = truthOf(printed.join('\n'))
  assert.deepEqual(packages.map(keyOf), ['golang stdlib 1.22.1', 'golang gopkg.in/yaml.v3 3.0.0', 'golang new.example/b 1.0.1'])
  assert.deepEqual(either?.map(keyOf), ['golang example.org/a (devel)', 'golang example.org/a '])
})

test('an image that can’t be made, and a scanner that fails, are named and no figure', async (t) => {
  const folder = await scratch(stack, 'accuracy-table')
  const lines: string[] = []
  t.mock.method(console, 'log', (line: string) => void lines.push(...line.split('\n')))
  const fine: Recipe = { name: 'fine', what: 'x', make: async ({ layer }) => (await layer(), { packages: [named('npm', 'a', '1')] }) }
  const broken: Recipe = { name: 'broken', what: 'x', make: () => Promise.reject(new Error('no such tool')) }
  const lister = (name: 'Trivy' | 'Grype', list: () => Promise<ReturnType<typeof named>[]>) => ({ name, version: '1', list })
  const listers = [
    lister('Trivy', () => Promise.resolve([named('npm', 'a', '1'), named('npm', 'b', '1')])),
    lister('Grype', () => Promise.reject(new Error('crashed'))),
  ]
  assert.equal(await printAccuracy([fine, broken], { folder, listers, differences: true }), false)
  assert.ok(
    lines.some((line) => line.startsWith('| fine | x | 1 | 100, 50.0 (−0, +1) | failed: Error: crashed |')),
    lines.join('\n'),
  )
  assert.ok(lines.some((line) => line.startsWith('| broken | x | could not be made: Error: no such tool |')))
  assert.ok(lines.includes('fine, Trivy: + npm b 1'))
  assert.ok(lines[0]?.includes('left out: OSV-Scanner.'))
  assert.equal(await printAccuracy([fine], { folder, listers: listers.slice(0, 1), differences: false }), true)
})

test('ranges of OSV become the constraints of others, and Git’s say nothing', () => {
  const record = (
    ecosystem: string,
    name: string,
    ranges: { type: string; events: Record<string, string>[] }[],
    versions: string[] = [],
  ) => [...affectedBy({ id: 'A-1', modified: '2026-01-01T00:00:00Z', affected: [{ package: { ecosystem, name }, ranges, versions }] })]
  const events = [{ introduced: '0' }, { fixed: '1.2' }, { introduced: '2.0' }, { last_affected: '2.4' }, { introduced: '3.0' }]
  const git = { type: 'GIT', events: [{ introduced: 'abc' }] }
  assert.deepEqual(record('PyPI', 'Zope.Interface', [git, { type: 'ECOSYSTEM', events }]), [
    { ecosystem: 'PyPI', name: 'zope-interface', spans: ['<1.2', '>=2.0,<=2.4', '>=3.0'] },
  ])
  assert.deepEqual(record('npm', 'a', [{ type: 'SEMVER', events: [{ introduced: '0' }] }])[0]?.spans, ['>=0'])
  assert.deepEqual(record('Packagist:https://packages.drupal.org/8', 'a/b', [git], ['1.0', '1.1'])[0], {
    ecosystem: 'Packagist',
    name: 'a/b',
    spans: ['=1.0', '=1.1'],
  })
  assert.deepEqual(record('npm', 'a', [git]), [])
})

test('a flaw is one, whatever ids each scanner knows it by, and is found by whom it was', () => {
  const finding = (ids: string[], its = 'npm a 1') => ({ package: its, ids })
  const flaws = flawsOf(
    new Map([
      ['Lazaret', [finding(['CVE-1', 'GHSA-1']), finding(['CVE-2']), finding(['CVE-1'], 'npm b 1'), finding(['CVE-3'], 'deb a 1')]],
      ['Grype', [finding(['GHSA-1']), finding(['X-1'])]],
      ['Trivy', [finding(['X-1', 'CVE-2'])]],
    ]),
  )
  assert.deepEqual(
    flaws.map(({ package: its, ids, by }) => [its, [...ids].toSorted().join(' '), [...by].toSorted().join(' ')]).toSorted(),
    [
      ['npm a 1', 'CVE-1 GHSA-1', 'Grype Lazaret'],
      ['npm a 1', 'CVE-2 X-1', 'Grype Lazaret Trivy'],
      ['npm b 1', 'CVE-1', 'Lazaret'],
    ],
  )
})

test('Grype’s database has a package once, in any case, and nothing that was withdrawn', async () => {
  const path = join(await scratch(stack, 'grype-database'), 'vulnerability.db')
  const of = (id: string, name: string, withdrawn?: string) => ({
    id,
    modified: '2026-01-01T00:00:00Z',
    aliases: [`CVE-${id}`],
    ...(withdrawn !== undefined && { withdrawn }),
    affected: [{ package: { ecosystem: 'npm', name }, ranges: [{ type: 'SEMVER', events: [{ introduced: '0' }, { fixed: '2.0.0' }] }] }],
  })
  writeGrypeDatabase(path, [of('A', 'JSON'), of('B', 'json'), of('C', 'gone', '2026-02-01T00:00:00Z')])
  const database = new DatabaseSync(path, { readOnly: true })
  const rows = database
    .prepare(
      `SELECT v.name, p.name AS package, b.value FROM affected_package_handles a JOIN vulnerability_handles v ON v.id = a.vulnerability_id
       JOIN packages p ON p.id = a.package_id JOIN blobs b ON b.id = a.blob_id ORDER BY v.name`,
    )
    .all()
  database.close()
  const value = '{"ranges":[{"version":{"type":"npm","constraint":"<2.0.0"}}]}'
  assert.deepEqual(
    rows.map((row) => ({ ...row })),
    [
      { name: 'A', package: 'JSON', value },
      { name: 'B', package: 'JSON', value },
    ],
  )
})
