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

const components: [string, string][] = [
  ['opt/rabbitmq/plugins/rabbit-3.12/ebin/rabbit.app', 'erlang'],
  ['usr/local/lib/luarocks/rocks-5.4/lpeg/1.1.0-1/rock_manifest', 'luarocks'],
]

test('databases of distributions that are not read yet are named', () => {
  for (const [path, kind] of databases) assert.deepEqual(found(path, 10), [{ unsupported: { kind } }], path)
})

test('programs and libraries that stand for themselves are named as such', () => {
  for (const [path, kind] of components) assert.deepEqual(found(path, 10), [{ unsupported: { kind, component: true } }], path)
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
