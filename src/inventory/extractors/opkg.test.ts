import assert from 'node:assert/strict'
import { test } from 'node:test'
import { squash } from '../squash.ts'
import { bearsAnything, factsOf, packagesOf } from '../testing/extract.ts'
import { layerOf } from '../testing/tars.ts'
import { opkg } from './opkg.ts'

// The form of OpenWrt 23.05.
const status = `Package: busybox
Version: 1.36.1-1
Depends: libc
Status: install user installed
Architecture: x86_64
Conffiles:
 /etc/syslog.conf abc
Installed-Time: 1710000000

Package: removed
Version: 2
Status: deinstall user not-installed
Architecture: x86_64

Package: python3-six
Version: 1.16.0-1
Status: install hold installed
Architecture: all
Source: feeds/packages/lang/python/python-six

`

test('what is installed, at each place', () => {
  for (const path of ['usr/lib/opkg/status', 'var/lib/opkg/status', 'opt/lib/opkg/status']) {
    assert.deepEqual(packagesOf(opkg, path, status), [
      { kind: 'opkg', name: 'busybox', version: '1.36.1-1', architecture: 'x86_64', installedAt: '2024-03-09T16:00:00.000Z' },
      { kind: 'opkg', name: 'python3-six', version: '1.16.0-1', architecture: 'all' },
    ])
  }
  assert.ok(!opkg.wants('usr/lib/opkg/info/busybox.control') && !opkg.wants('x/usr/lib/opkg/status'))
})

test('in an image: what it owns is its own', async () => {
  const image = squash([
    await layerOf([
      ['etc/os-release', 'ID="openwrt"\nVERSION_ID="23.05.3"\n'],
      ['usr/lib/opkg/status', status],
      ['usr/lib/opkg/info/python3-six.list', '/usr/lib/python3.11/site-packages/six-1.16.0.dist-info/METADATA\t0100644\n'],
      ['usr/lib/python3.11/site-packages/six-1.16.0.dist-info/METADATA', 'Name: six\nVersion: 1.16.0\n'],
    ]),
  ])
  assert.deepEqual(image.problems, [])
  assert.equal(image.packages.find(({ name }) => name === 'six')?.ownedBy, 'python3-six')
  assert.equal(image.packages[0]?.purl, 'pkg:opkg/openwrt/busybox@1.36.1-1?arch=x86_64&distro=openwrt-23.05.3')
})

test('a package without a name or version is a problem with its line', () => {
  assert.deepEqual(factsOf(opkg, 'usr/lib/opkg/status', 'Package: a\n\nVersion: 1\n'), [
    { problem: 'line 1: a package without a name or version that can be read' },
    { problem: 'line 3: a package without a name or version that can be read' },
  ])
})

bearsAnything(opkg, 'usr/lib/opkg/status', status)
