import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bearsAnything, factsOf, packagesOf } from '../testing/extract.ts'
import { dpkg } from './dpkg.ts'

const status = `Package: libc6
Status: install ok installed
Priority: optional
Maintainer: GNU Libc Maintainers <debian-glibc@lists.debian.org>
Architecture: amd64
Multi-Arch: same
Source: glibc
Version: 2.36-9+deb12u4
Description: GNU C Library
 Package: not-a-package
 Version: 0

Package: gone
Status: deinstall ok config-files
Version: 1.0

Package: libgcc-s1
Status: install ok installed
Source: gcc-12 (12.2.0-14)
Version: 12.2.0-14+b1
Architecture: amd64

package: lower
status: hold ok triggers-pending
version: 1:2.3~rc1-4
`

const path = 'var/lib/dpkg/status'

test('installed packages are read with their source, others are left out', () => {
  const [libc6, libgcc, lower, ...others] = packagesOf(dpkg, path, status)
  assert.deepEqual(libc6, {
    kind: 'deb',
    name: 'libc6',
    version: '2.36-9+deb12u4',
    architecture: 'amd64',
    source: { name: 'glibc', version: '2.36-9+deb12u4' },
    maintainer: 'GNU Libc Maintainers <debian-glibc@lists.debian.org>',
  })
  assert.deepEqual(libgcc?.source, { name: 'gcc-12', version: '12.2.0-14' })
  assert.deepEqual(lower, { kind: 'deb', name: 'lower', version: '1:2.3~rc1-4' })
  assert.deepEqual(others, [])
})

test('Windows line ends, a missing last newline and spaces around values change nothing', () => {
  assert.deepEqual(packagesOf(dpkg, path, status.replaceAll('\n', '\r\n')), packagesOf(dpkg, path, status))
  assert.deepEqual(packagesOf(dpkg, path, 'Package:a\nVersion:\t1 \nStatus: install ok installed'), [
    { kind: 'deb', name: 'a', version: '1' },
  ])
})

test('each state that is not installed', () => {
  for (const state of ['not-installed', 'config-files', 'half-installed', 'unpacked', 'half-configured']) {
    assert.deepEqual(packagesOf(dpkg, path, `Package: a\nStatus: install ok ${state}\nVersion: 1\n`), [], state)
  }
})

test('a stanza that does not say whether it is installed counts as installed', () => {
  assert.equal(packagesOf(dpkg, path, 'Package: a\nVersion: 1\n').length, 1)
})

test('a package without name or version is a problem with its line', () => {
  assert.deepEqual(factsOf(dpkg, path, '\nPackage: a\nStatus: install ok installed\n'), [
    { problem: 'line 2: a package without a name or version that can be read' },
  ])
  assert.deepEqual(factsOf(dpkg, path, 'Version: 1\n\n'), [{ problem: 'line 1: a package without a name or version that can be read' }])
})

test('distroless stanzas need no Status', () => {
  assert.deepEqual(
    packagesOf(dpkg, 'var/lib/dpkg/status.d/tzdata', 'Package: tzdata\nVersion: 2024a\nArchitecture: all\n')[0]?.name,
    'tzdata',
  )
})

test('lists of owned files', () => {
  assert.deepEqual(factsOf(dpkg, 'var/lib/dpkg/info/libc6:amd64.list', '/.\n/usr\n/usr/lib/x y\n'), [
    { owns: { packageName: 'libc6', architecture: 'amd64', paths: ['usr', 'usr/lib/x y'] } },
  ])
  assert.deepEqual(factsOf(dpkg, 'var/lib/dpkg/info/tar.list', ''), [{ owns: { packageName: 'tar', paths: [] } }])
  const sums = `${'0'.repeat(32)}  usr/share/doc/a\n${'1'.repeat(32)}  ./etc/b\nshort\n`
  assert.deepEqual(factsOf(dpkg, 'var/lib/dpkg/status.d/base.md5sums', sums), [
    { owns: { packageName: 'base', paths: ['usr/share/doc/a', 'etc/b'] } },
  ])
})

test('only its own files are wanted', () => {
  for (const other of [
    'var/lib/dpkg/status-old',
    'x/var/lib/dpkg/status',
    'var/lib/dpkg/info/a.postinst',
    'var/lib/dpkg/info/a.md5sums',
    'var/lib/dpkg/status.d/a/b',
    'var/lib/dpkg/statusx',
  ]) {
    assert.ok(!dpkg.wants(other), other)
  }
})

bearsAnything(dpkg, path, status)
bearsAnything(dpkg, 'var/lib/dpkg/info/a.list', '/.\n/usr\n')
