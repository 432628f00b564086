import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { OsRelease } from '../../model/layer.ts'
import { bearsAnything, factsOf } from '../testing/extract.ts'
import { release } from './release.ts'

const debian =
  'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian GNU/Linux"\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\nID=debian\nHOME_URL="https://www.debian.org/"\n'

test('both places are read', () => {
  const expected = { id: 'debian', versionId: '12', idLike: [], codename: 'bookworm', prettyName: 'Debian GNU/Linux 12 (bookworm)' }
  assert.deepEqual(read('etc/os-release', debian), expected)
  assert.deepEqual(read('usr/lib/os-release', debian), expected)
  assert.ok(!release.wants('etc/os-release.d') && !release.wants('x/etc/os-release'))
})

test('quotes are taken off as a shell does', () => {
  assert.deepEqual(
    read('etc/os-release', `ID='alpine'\nVERSION_ID=3.20.1 # a comment\nPRETTY_NAME="a \\"b\\" \\$c \\\\ d"\nID_LIKE="rhel fedora"\n`),
    {
      id: 'alpine',
      versionId: '3.20.1',
      idLike: ['rhel', 'fedora'],
      prettyName: 'a "b" $c \\ d',
    },
  )
  assert.equal(read('etc/os-release', 'ID=Debian\r\n').id, 'debian')
  assert.equal(read('etc/os-release', '# ID=no\nXID=no\nID="unclosed').id, 'unclosed')
})

test('the last assignment counts, and one without an ID that can be one is a problem', () => {
  assert.equal(read('etc/os-release', 'ID=a\nID=b\n').id, 'b')
  for (const text of ['', 'NAME=x\n', 'ID=\n', 'ID="two words"\n', 'ID=$(x)\n', `ID=${'a'.repeat(200)}\n`]) {
    assert.deepEqual(factsOf(release, 'etc/os-release', text), [{ problem: 'no ID that can be read' }], text)
  }
})

test('what came before os-release is read', () => {
  const cases: [path: string, text: string, id: string, versionId: string | undefined][] = [
    ['etc/redhat-release', 'CentOS release 6.10 (Final)\n', 'centos', '6.10'],
    ['etc/centos-release', 'CentOS Linux release 7.9.2009 (Core)\n', 'centos', '7.9.2009'],
    ['etc/redhat-release', 'Red Hat Enterprise Linux Server release 6.10 (Santiago)\n', 'rhel', '6.10'],
    ['etc/redhat-release', 'Red Hat Enterprise Linux release 9.4 (Plow)\n', 'rhel', '9.4'],
    ['etc/fedora-release', 'Fedora release 40 (Forty)\n', 'fedora', '40'],
    ['etc/oracle-release', 'Oracle Linux Server release 6.10\n', 'ol', '6.10'],
    ['etc/almalinux-release', 'AlmaLinux release 9.4 (Seafoam Ocelot)\n', 'almalinux', '9.4'],
    ['etc/rocky-release', 'Rocky Linux release 8.9 (Green Obsidian)\n', 'rocky', '8.9'],
    ['etc/system-release', 'Amazon Linux AMI release 2018.03\n', 'amzn', '2018.03'],
    ['etc/system-release', 'Amazon Linux release 2 (Karoo)\n', 'amzn', '2'],
    ['etc/mageia-release', 'Mageia release 9 (Official) for x86_64\n', 'mageia', '9'],
    ['etc/SuSE-release', 'SUSE Linux Enterprise Server 11 (x86_64)\nVERSION = 11\nPATCHLEVEL = 4\n', 'sles', '11.4'],
    ['etc/photon-release', 'VMware Photon OS 5.0\nPHOTON_BUILD_NUMBER=dde71ec57\n', 'photon', '5.0'],
    ['etc/mariner-release', 'CBL-Mariner 2.0.20240123\nMARINER_BUILD_NUMBER=1\n', 'mariner', '2.0'],
    ['etc/arch-release', '', 'arch', undefined],
    ['etc/openwrt_release', "DISTRIB_ID='OpenWrt'\nDISTRIB_RELEASE='23.05.3'\n", 'openwrt', '23.05.3'],
    ['etc/lsb-release', 'DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=22.04\nDISTRIB_CODENAME=jammy\n', 'ubuntu', '22.04'],
  ]
  for (const [path, text, id, versionId] of cases) {
    const found = read(path, text)
    assert.deepEqual([found.id, found.versionId], [id, versionId], path)
  }
})

test('a name that is not known says nothing', () => {
  for (const text of ['', 'Linux\n', 'My CentOS release 7\n', '\0\0'])
    assert.deepEqual(factsOf(release, 'etc/redhat-release', text), [], text)
  assert.equal(read('etc/redhat-release', `CentOS release ${'9'.repeat(5000)}`).versionId, undefined)
})

test('os-release of the distributions with rpm', () => {
  // Recorded from their images, cut to what is read.
  const cases: [text: string, id: string, versionId: string | undefined][] = [
    ['NAME="CentOS Stream"\nVERSION="9"\nID="centos"\nID_LIKE="rhel fedora"\nVERSION_ID="9"\n', 'centos', '9'],
    ['NAME="Red Hat Enterprise Linux"\nID="rhel"\nID_LIKE="fedora"\nVERSION_ID="9.4"\n', 'rhel', '9.4'],
    ['NAME="Fedora Linux"\nVERSION="40 (Container Image)"\nID=fedora\nVERSION_ID=40\nVARIANT_ID=container\n', 'fedora', '40'],
    ['NAME="Oracle Linux Server"\nID="ol"\nID_LIKE="fedora"\nVERSION_ID="9.4"\n', 'ol', '9.4'],
    ['NAME="Amazon Linux AMI"\nID="amzn"\nID_LIKE="rhel fedora"\nVERSION_ID="2018.03"\n', 'amzn', '2018.03'],
    ['NAME="Amazon Linux"\nVERSION="2023"\nID="amzn"\nID_LIKE="fedora"\nVERSION_ID="2023"\n', 'amzn', '2023'],
    ['NAME="openSUSE Leap"\nID="opensuse-leap"\nID_LIKE="suse opensuse"\nVERSION_ID="15.6"\n', 'opensuse-leap', '15.6'],
    ['NAME="SLES"\nVERSION="15-SP6"\nVERSION_ID="15.6"\nID="sles"\nID_LIKE="suse"\n', 'sles', '15.6'],
    ['NAME="Common Base Linux Mariner"\nID=mariner\nVERSION_ID="2.0"\n', 'mariner', '2.0'],
    ['NAME="VMware Photon OS"\nVERSION="5.0"\nID=photon\nVERSION_ID=5.0\n', 'photon', '5.0'],
    ['NAME="Arch Linux"\nPRETTY_NAME="Arch Linux"\nID=arch\nBUILD_ID=rolling\n', 'arch', undefined],
  ]
  for (const [text, id, versionId] of cases) {
    const found = read('etc/os-release', text)
    assert.deepEqual([found.id, found.versionId], [id, versionId])
  }
})

bearsAnything(release, 'etc/os-release', debian)

function read(path: string, text: string): OsRelease {
  const [fact] = factsOf(release, path, text)
  assert.ok(fact !== undefined && 'release' in fact)
  return fact.release
}
