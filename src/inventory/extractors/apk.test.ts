import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bearsAnything, factsOf, packagesOf } from '../testing/extract.ts'
import { apk } from './apk.ts'

const installed = `C:Q1qKcZ+j23xssBXJ7DBdLnI4Lv0+g=
P:musl
V:1.2.4-r2
A:x86_64
S:383000
L:MIT
o:musl
m:Timo Teräs <timo.teras@iki.fi>
F:lib
R:ld-musl-x86_64.so.1
a:0:0:755
Z:Q1+abc=
R:libc.musl-x86_64.so.1
F:
R:top

P:ssl_client
V:1.36.1-r15
o:busybox
A:x86_64
`

const path = 'lib/apk/db/installed'

test('packages are read with origin, licence and owned files', () => {
  assert.deepEqual(packagesOf(apk, path, installed), [
    {
      kind: 'apk',
      name: 'musl',
      version: '1.2.4-r2',
      architecture: 'x86_64',
      source: { name: 'musl', version: '1.2.4-r2' },
      licence: 'MIT',
      maintainer: 'Timo Teräs <timo.teras@iki.fi>',
      ownedFiles: ['lib/ld-musl-x86_64.so.1', 'lib/libc.musl-x86_64.so.1', 'top'],
    },
    { kind: 'apk', name: 'ssl_client', version: '1.36.1-r15', architecture: 'x86_64', source: { name: 'busybox', version: '1.36.1-r15' } },
  ])
  assert.deepEqual(packagesOf(apk, 'usr/lib/apk/db/installed', installed), packagesOf(apk, path, installed))
})

test('letter case tells fields apart', () => {
  assert.deepEqual(packagesOf(apk, path, 'P:a\np:so:b\nV:1\nv:2\n'), [{ kind: 'apk', name: 'a', version: '1' }])
})

test('a package without version, and a line of another form, are problems with their lines', () => {
  assert.deepEqual(factsOf(apk, path, 'P:a\n\nP:b\nV:1\nnonsense\n'), [
    { problem: 'line 1: a package without a name or version that can be read' },
    { problem: 'line 5: not of the form X:value' },
    { package: { kind: 'apk', name: 'b', version: '1' } },
  ])
})

test('an empty database holds nothing, and an owned path never leads out', () => {
  assert.deepEqual(factsOf(apk, path, '\n\n'), [])
  assert.deepEqual(packagesOf(apk, path, 'P:a\nV:1\nF:../../etc\nR:passwd\n')[0]?.ownedFiles, ['etc/passwd'])
})

bearsAnything(apk, path, installed)
