import assert from 'node:assert/strict'
import { test } from 'node:test'
import { unsupported } from './unsupported.ts'

const databases: [string, string][] = [
  ['var/db/pkg/app-shells/bash-5.2/PF', 'portage'],
  ['nix/var/nix/db/db.sqlite', 'nix'],
  ['var/guix/db/db.sqlite', 'guix'],
  ['var/db/xbps/pkgdb-0.38.plist', 'xbps'],
  ['var/lib/pkgtools/packages/bash-5.2-x86_64-1', 'slackware'],
]

test('databases of distributions that are not read yet are named', () => {
  for (const [path, kind] of databases) assert.deepEqual(found(path, 10), [{ unsupported: { kind } }], path)
})

test('an empty file is no database', () => {
  assert.deepEqual(found('nix/var/nix/db/db.sqlite', 0), [])
})

test('what is read, and what is alike, is not wanted', () => {
  for (const path of [
    'var/lib/dpkg/status',
    'lib/apk/db/installed',
    'var/lib/rpm/Packages',
    'x/var/nix/db/db.sqlite',
    'var/lib/pacman/local/bash/files',
    'a.jar.txt',
    'package.json',
    'node_modules/a/packages/b.js',
  ]) {
    assert.ok(!unsupported.wants(path), path)
  }
})

function found(path: string, sizeBytes: number) {
  assert.ok(unsupported.wants(path), path)
  return [...unsupported.extract({ path, sizeBytes, bytes: Buffer.alloc(0) })]
}
