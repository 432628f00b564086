import assert from 'node:assert/strict'
import { test } from 'node:test'
import { squash } from '../squash.ts'
import { bearsAnything, factsOf, packagesOf } from '../testing/extract.ts'
import { layerOf } from '../testing/tars.ts'
import type { Member } from '../testing/tars.ts'
import { alpm } from './alpm.ts'

const folder = 'var/lib/pacman/local/harbour-tools-1:2.0.r5.gabc-1'

// Written by pacman 6.0.2 (`pacman -U --dbonly`) for a package of our own; `pacman -Q` says: harbour-tools 1:2.0.r5.gabc-1.
const desc = `%NAME%
harbour-tools

%VERSION%
1:2.0.r5.gabc-1

%BASE%
harbour

%DESC%
A package

%URL%
https://example.org

%ARCH%
any

%BUILDDATE%
1700000000

%INSTALLDATE%
1795517546

%PACKAGER%
Harbour <harbour@example.org>

%SIZE%
10

%LICENSE%
MIT
Apache-2.0

%VALIDATION%
none

`
const files = `%FILES%
usr/
usr/lib/
usr/lib/python3.11/
usr/lib/python3.11/site-packages/
usr/lib/python3.11/site-packages/harbour_tools-1.0.dist-info/
usr/lib/python3.11/site-packages/harbour_tools-1.0.dist-info/METADATA

%BACKUP%
etc/harbour.conf\td41d8cd98f00b204e9800998ecf8427e

`
const metadata: Member = ['usr/lib/python3.11/site-packages/harbour_tools-1.0.dist-info/METADATA', 'Name: harbour-tools\nVersion: 1.0\n']
const arch: Member = ['etc/os-release', 'NAME="Arch Linux"\nID=arch\nBUILD_ID=rolling\n']

test('a package as pacman says it', () => {
  assert.deepEqual(packagesOf(alpm, `${folder}/desc`, desc), [
    {
      kind: 'alpm',
      name: 'harbour-tools',
      version: '1:2.0.r5.gabc-1',
      architecture: 'any',
      source: { name: 'harbour', version: '1:2.0.r5.gabc-1' },
      licence: 'MIT AND Apache-2.0',
      maintainer: 'Harbour <harbour@example.org>',
      installedAt: '2026-11-24T10:52:26.000Z',
    },
  ])
})

test('what it owns, without the folders that go before and the backups after', () => {
  const [fact] = factsOf(alpm, `${folder}/files`, files)
  assert.ok(fact !== undefined && 'owns' in fact)
  assert.equal(fact.owns.paths.length, 6)
  assert.equal(fact.owns.paths.at(-1), 'usr/lib/python3.11/site-packages/harbour_tools-1.0.dist-info/METADATA')
  assert.deepEqual(factsOf(alpm, `${folder}/files`, ''), [{ owns: { packageName: 'harbour-tools-1:2.0.r5.gabc-1', paths: [] } }])
})

test('in an image: owned, updated, removed', async () => {
  const below = await layerOf([arch, [`${folder}/desc`, desc], [`${folder}/files`, files], metadata])
  const said = squash([below])
  assert.deepEqual(
    said.packages.map(({ purl, ownedBy }) => [purl, ownedBy]),
    [
      ['pkg:alpm/arch/harbour-tools@1:2.0.r5.gabc-1?arch=any&distro=arch', undefined],
      ['pkg:pypi/harbour-tools@1.0', 'harbour-tools'],
    ],
  )
  const next = folder.replace('r5', 'r6')
  const above = await layerOf([`var/lib/pacman/local/.wh.${folder.split('/').at(-1)}`, [`${next}/desc`, desc.replace('r5', 'r6')]])
  assert.deepEqual(
    squash([below, above])
      .packages.filter(({ kind }) => kind === 'alpm')
      .map(({ version }) => version),
    ['1:2.0.r6.gabc-1'],
  )
})

test('what has no name or version is a problem, and nothing like the database is wanted', () => {
  for (const text of ['', 'x', '%NAME%\n\n%VERSION%\n1\n', '%NAME%\na b\n\n%VERSION%\n1\n', '%NAME%\na\n']) {
    assert.deepEqual(factsOf(alpm, `${folder}/desc`, text), [{ problem: 'a package without a name or version that can be read' }], text)
  }
  for (const path of ['var/lib/pacman/local/desc', 'var/lib/pacman/sync/core.db', 'x/var/lib/pacman/local/a/desc'])
    assert.ok(!alpm.wants(path))
})

bearsAnything(alpm, `${folder}/desc`, desc)
bearsAnything(alpm, `${folder}/files`, files)
