import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { severities } from '../../model/advisory.ts'
import { findingOf, placeOf } from './findings.testing.ts'
import type { PlacedFinding } from './places.ts'
import { remediesFor } from './remedies.ts'

const debian = { id: 'debian', versionId: '12', idLike: [] }

function deb(id: string, name: string, fixedVersion: string | undefined, layer: number): PlacedFinding {
  return findingOf({
    id,
    ecosystem: 'Debian:12',
    packageName: name,
    packageVersion: '1.0-1',
    ...(fixedVersion !== undefined && { fixedVersion }),
    severity: 'high',
    places: [placeOf({ kind: 'deb', name: `lib${name}`, version: '1.0-1', path: 'var/lib/dpkg/status', layer })],
  })
}

function npm(id: string, name: string, fixedVersion: string, path: string): PlacedFinding {
  return findingOf({
    id,
    packageName: name,
    packageVersion: '1.0.0',
    fixedVersion,
    places: [placeOf({ name, version: '1.0.0', path, layer: 2 })],
  })
}

test('the change that fixes the most comes first; what a newer base fixes is said, and how much of it is fixed by then', () => {
  const findings = [
    deb('CVE-1', 'ssl', '1.0-2', 1),
    deb('CVE-2', 'ssl', '1.0-10', 1),
    deb('CVE-3', 'xml', '1.0-2', 2),
    deb('CVE-4', 'xml', undefined, 1),
    npm('CVE-5', 'minimist', '1.2.6', 'app/node_modules/minimist/package.json'),
    npm('CVE-6', 'minimist', '1.2.10', 'app/node_modules/minimist/package.json'),
  ]
  const remedies = remediesFor(findings, debian, 3)
  assert.deepEqual(
    remedies.map(({ what, fixes, fixesMore }) => [what, fixes, fixesMore]),
    [
      ['apt-get upgrade of 2 packages', 3, 3],
      ['npm: minimist 1.0.0 to 1.2.10 in /app', 2, 2],
      ['rebuild on a newer debian:12 (layer 1)', 2, 0],
    ],
  )
  // The highest of the versions that cure, by dpkg's order: -10 is above -2.
  assert.deepEqual(remedies[0]?.packages, [
    { name: 'libssl', from: '1.0-1', to: '1.0-10' },
    { name: 'libxml', from: '1.0-1', to: '1.0-2' },
  ])
  assert.equal(remedies[0]?.command, 'apt-get update && apt-get install --only-upgrade -y libssl libxml')
  assert.equal(remedies[1]?.command, 'npm install minimist@1.2.10')
  assert.deepEqual(remedies[0]?.bySeverity, { high: 3 })
})

test('no newer base where the image is nothing but its base, or has no release', () => {
  const findings = [deb('CVE-1', 'ssl', '1.0-2', 1)]
  assert.equal(remediesFor(findings, debian, 1).length, 1)
  assert.equal(remediesFor(findings, undefined, 2).length, 1)
  assert.equal(remediesFor(findings, { ...debian, id: '$(reboot)' }, 2).length, 1)
  assert.match(remediesFor(findings, { id: 'alpine', versionId: '3.17.2', idLike: [] }, 2)[1]?.what ?? '', /newer alpine:3\.17 /)
})

test('a library is changed through what brings it, by project', () => {
  const findings = [
    npm('CVE-1', 'b', '2.0.0', 'srv/one/node_modules/@x/a/node_modules/b/package.json'),
    npm('CVE-2', 'c', '3.0.0', 'srv/one/node_modules/@x/a/node_modules/c/package.json'),
    npm('CVE-3', 'b', '2.0.0', 'srv/two/node_modules/b/package.json'),
  ]
  assert.deepEqual(
    remediesFor(findings, undefined, 2).map(({ what, command, fixes }) => [what, command, fixes]),
    [
      ['npm: a newer @x/a in /srv/one, so that b is 2.0.0, c is 3.0.0', undefined, 2],
      ['npm: b 1.0.0 to 2.0.0 in /srv/two', 'npm install b@2.0.0', 1],
    ],
  )
})

test('a library of a tool that is not known here is changed by name, a program as a whole', () => {
  const of = (kind: 'cran' | 'cargo', path: string) =>
    findingOf({
      id: kind,
      packageName: 'x',
      packageVersion: '1',
      fixedVersion: '2',
      places: [placeOf({ kind, name: 'x', version: '1', path })],
    })
  assert.deepEqual(
    remediesFor([of('cran', 'usr/lib/R/library/x/DESCRIPTION'), of('cargo', 'usr/bin/tool')], undefined, 2).map(({ what, command }) => [
      what,
      command,
    ]),
    [
      ['cran: x 1 to 2', undefined],
      ['rebuild of /usr/bin/tool with x 2', undefined],
    ],
  )
})

test('what is in a jar is changed by a rebuild of the outermost one', () => {
  const inJar = (id: string, name: string, path: string) =>
    findingOf({ id, packageName: name, fixedVersion: '2.17.1', places: [placeOf({ kind: 'maven', name, version: '2.0', path })] })
  const findings = [inJar('CVE-1', 'log4j', 'app/x.jar!/BOOT-INF/lib/log4j.jar'), inJar('CVE-2', 'other', 'app/x.jar!/lib/other.jar')]
  assert.deepEqual(
    remediesFor(findings, undefined, 2).map(({ what, fixes }) => [what, fixes]),
    [['rebuild of /app/x.jar with log4j 2.17.1, other 2.17.1', 2]],
  )
})

test('a name that could be more than a word to a shell stands in no command', () => {
  for (const name of ['$(reboot)', 'a;b', '-rf', 'a b', "a'b", 'a`b`', 'a|b', 'ä']) {
    const [remedy] = remediesFor([npm('CVE-1', name, '2.0.0', `node_modules/${name}/package.json`)], undefined, 1)
    assert.equal(remedy?.command, undefined, name)
  }
  const [remedy] = remediesFor([npm('CVE-1', 'a', '2; reboot', 'node_modules/a/package.json')], undefined, 1)
  assert.equal(remedy?.command, undefined)
})

test('together the remedies fix each finding that has a fix once, and nothing else', () => {
  const some = fc.record({
    id: fc.nat(50).map((at) => `CVE-${at}`),
    name: fc.constantFrom('a', 'b', 'c'),
    fix: fc.option(fc.constantFrom('2', '3')),
    kind: fc.constantFrom('deb', 'apk', 'npm', 'pypi', 'golang'),
    path: fc.constantFrom('x/node_modules/a/package.json', 'x/y.jar!/z', 'usr/bin/x'),
    layer: fc.constantFrom(1, 2),
    severity: fc.constantFrom(...severities),
  })
  fc.assert(
    fc.property(fc.array(some, { maxLength: 40 }), (made) => {
      const findings = made.map(({ id, name, fix, severity, kind, path, layer }) =>
        findingOf({
          id,
          packageName: name,
          severity,
          ...(fix !== null && { fixedVersion: fix }),
          places: [placeOf({ kind, name, path, layer })],
        }),
      )
      const remedies = remediesFor(findings, debian, 2)
      assert.equal(
        remedies.reduce((sum, { fixesMore }) => sum + fixesMore, 0),
        findings.filter(({ fixedVersion }) => fixedVersion !== undefined).length,
      )
      for (const { fixes, fixesMore, bySeverity } of remedies) {
        assert.ok(fixesMore <= fixes)
        assert.equal(
          Object.values(bySeverity).reduce((sum, count) => sum + count, 0),
          fixes,
        )
      }
      const more = remedies.map(({ fixesMore }) => fixesMore)
      assert.deepEqual(
        more,
        more.toSorted((a, b) => b - a),
      )
    }),
  )
})

test('of ten thousand changes the order is found in a moment', () => {
  const findings = Array.from({ length: 10_000 }, (_, at) => npm(`CVE-${at}`, `p${at}`, '2.0.0', `node_modules/p${at}/package.json`))
  const begin = performance.now()
  assert.equal(remediesFor(findings, debian, 2).length, 10_000)
  assert.ok(performance.now() - begin < 5000)
})
