import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { OsRelease } from '../model/layer.ts'
import type { ImagePackage } from '../model/package.ts'
import { ecosystemOf } from './releases.ts'
import { subjectOf } from './subjects.ts'

function release(id: string, versionId?: string, rest: Partial<OsRelease> = {}): OsRelease {
  return { id, idLike: [], ...(versionId === undefined ? {} : { versionId }), ...rest }
}

function pkg(rest: Partial<ImagePackage>): ImagePackage {
  return {
    kind: 'deb',
    name: 'libssl3',
    version: '3.0.14-1~deb12u1+b1',
    purl: 'pkg:deb/debian/libssl3',
    location: 'var/lib/dpkg/status',
    layer: 'sha256:0',
    ...rest,
  }
}

test('ecosystem: each distribution that has one, by its release', () => {
  const cases: [OsRelease, string][] = [
    [release('debian', '12'), 'Debian:12'],
    [release('debian', '11.9'), 'Debian:11'],
    [release('debian', undefined, { codename: 'trixie' }), 'Debian:13'],
    [release('alpine', '3.20.1'), 'Alpine:v3.20'],
    [release('alpine', '3.9'), 'Alpine:v3.9'],
    [release('alpine', '3.23.0_rc1'), 'Alpine:v3.23'],
    [release('alpine', '3.21.0_alpha20240807'), 'Alpine:edge'],
    [release('alpine', 'edge'), 'Alpine:edge'],
    [release('ubuntu', '22.04'), 'Ubuntu:22.04:LTS'],
    [release('ubuntu', '24.10'), 'Ubuntu:24.10'],
    [release('ubuntu', '25.04'), 'Ubuntu:25.04'],
    [release('wolfi', '20230201'), 'Wolfi'],
    [release('chainguard', '20230214'), 'Chainguard'],
    [release('almalinux', '9.4'), 'AlmaLinux:9'],
    [release('rocky', '8'), 'Rocky Linux:8'],
  ]
  for (const [from, ecosystem] of cases) assert.equal(ecosystemOf(from), ecosystem)
})

test('ecosystem: distributions with rpm', () => {
  const cases: [OsRelease, string][] = [
    [release('almalinux', '9.4'), 'AlmaLinux:9'],
    [release('rocky', '8.10'), 'Rocky Linux:8'],
    [release('rhel', '9.4'), 'Red Hat:enterprise_linux:9'],
    [release('sles', '15.6'), 'SUSE:Linux Enterprise Server 15 SP6'],
    [release('sles', '15'), 'SUSE:Linux Enterprise Server 15'],
    [release('sles', '16.0'), 'SUSE:Linux Enterprise Server 16.0'],
    [release('opensuse-leap', '15.5'), 'openSUSE:Leap 15.5'],
    [release('opensuse-tumbleweed', '20260801'), 'openSUSE:Tumbleweed'],
    [release('mariner', '2.0'), 'Azure Linux:2'],
    [release('azurelinux', '3.0'), 'Azure Linux:3'],
    [release('photon', '5.0'), 'Photon OS:5.0'],
    [release('mageia', '9'), 'Mageia:9'],
    [release('arch'), 'Arch Linux'],
    [release('openeuler', '24.03', { prettyName: 'openEuler 24.03 (LTS-SP1)' }), 'openEuler:24.03-LTS-SP1'],
  ]
  for (const [from, ecosystem] of cases) assert.equal(ecosystemOf(from), ecosystem)
})

test('subject: an rpm is judged by the name that its distribution uses, and by its module', () => {
  const rpm = pkg({
    kind: 'rpm',
    name: 'perl-Errno',
    version: '1.30-481.el9',
    source: { name: 'perl', version: '4:5.32.1-481.el9' },
  })
  const binary = { name: 'perl-Errno', version: '1.30-481.el9' }
  const source = { name: 'perl', version: '4:5.32.1-481.el9' }
  for (const ecosystem of ['AlmaLinux:9', 'Red Hat:enterprise_linux:9'])
    assert.deepEqual(subjectOf(rpm, ecosystem), { ecosystem, ...binary })
  for (const ecosystem of ['Rocky Linux:9', 'openSUSE:Leap 15.5', 'Azure Linux:3']) {
    assert.deepEqual(subjectOf(rpm, ecosystem), { ecosystem, ...source })
  }
  assert.equal(subjectOf(pkg({ kind: 'rpm', modularity: 'nodejs:18:9040:rhel9' }), 'AlmaLinux:9')?.module, 'nodejs:18')
  assert.equal(subjectOf(rpm, 'Debian:12'), undefined)
  assert.equal(subjectOf(rpm, undefined), undefined)
  assert.equal(subjectOf({ ...rpm, foreign: true }, 'AlmaLinux:9'), undefined)
})

test('ecosystem: none rather than a wrong one (osv-scanner#1950)', () => {
  const none = [
    release('debian'),
    release('debian', undefined, { codename: 'sid' }),
    release('debian', 'testing', { codename: 'bookworm' }),
    release('debian', '12abc'),
    release('debian', '12:11'),
    release('raspbian', '12', { idLike: ['debian'] }),
    release('kali', '2024.1', { idLike: ['debian'], codename: 'bookworm' }),
    release('linuxmint', '22.04', { idLike: ['ubuntu', 'debian'] }),
    release('alpine'),
    release('alpine', '3'),
    release('alpine', '../3.20'),
    release('postmarketos', '3.20', { idLike: ['alpine'] }),
    release('ubuntu', '22'),
    release('ubuntu'),
    release('rhel'),
    release('rhel', '9-beta'),
    release('centos', '8'),
    release('fedora', '40'),
    release('ol', '9.4'),
    release('amzn', '2023'),
    release('sles', '15-SP6'),
    release('opensuse-leap', '15'),
    release('openeuler', '24.03', { prettyName: 'openEuler 22.03 (LTS)' }),
    release('Debian', '12'),
    release('', ''),
    release('constructor', '1'),
    release('almalinux', 'x'.repeat(100_000)),
  ]
  for (const from of none) assert.equal(ecosystemOf(from), undefined, `${from.id} ${from.versionId?.slice(0, 20)}`)
})

test('ecosystem: any release gets none or a well formed one', () => {
  const text = fc.oneof(fc.string({ maxLength: 12 }), fc.constantFrom('12', '3.20.1', '22.04', '9.4'))
  fc.assert(
    fc.property(fc.constantFrom('debian', 'ubuntu', 'alpine', 'wolfi', 'almalinux', 'rocky', 'rhel', 'sles'), text, (id, versionId) => {
      assert.match(
        ecosystemOf(release(id, versionId)) ?? 'none',
        /^(none|Debian:\d+|Ubuntu:\d+\.\d\d(:LTS)?|Alpine:(edge|v\d+\.\d+)|Wolfi|AlmaLinux:\d+|Rocky Linux:\d+|Red Hat:enterprise_linux:\d+|SUSE:Linux Enterprise Server [\d.]+( SP\d+)?)$/,
      )
    }),
  )
})

test('subject: a Debian package is judged by its source package and that version', () => {
  const binary = pkg({ source: { name: 'openssl', version: '3.0.14-1~deb12u1' } })
  assert.deepEqual(subjectOf(binary, 'Debian:12'), { ecosystem: 'Debian:12', name: 'openssl', version: '3.0.14-1~deb12u1' })
  assert.deepEqual(subjectOf(pkg({ name: 'git', version: '1:2.39.5-0+deb12u1' }), 'Debian:12'), {
    ecosystem: 'Debian:12',
    name: 'git',
    version: '1:2.39.5-0+deb12u1',
  })
  assert.equal(subjectOf(pkg({}), 'Ubuntu:22.04:LTS')?.ecosystem, 'Ubuntu:22.04:LTS')
})

test('subject: headers of the kernel do not have its flaws (grype#1326), what else was built from it does', () => {
  const named = (name: string, source: string, kind: 'deb' | 'rpm', ecosystem: string) =>
    subjectOf(pkg({ kind, name, source: { name: source, version: '6.1.90-1' } }), ecosystem)?.name
  assert.equal(named('linux-libc-dev', 'linux', 'deb', 'Debian:12'), 'linux-libc-dev')
  assert.equal(named('linux-headers-6.1.0-21-common', 'linux', 'deb', 'Debian:12'), 'linux-headers-6.1.0-21-common')
  assert.equal(named('kernel-default-headers', 'kernel-default', 'rpm', 'SUSE:Linux Enterprise Server 15 SP6'), 'kernel-default-headers')
  assert.equal(named('linux-image-6.1.0-21-amd64', 'linux', 'deb', 'Debian:12'), 'linux')
  assert.equal(named('libbpf1', 'linux', 'deb', 'Debian:12'), 'linux')
  assert.equal(named('linux-headers-tools', 'tools', 'deb', 'Debian:12'), 'tools')
})

test('subject: names are of one ecosystem (grype#938, #817, #580)', () => {
  const ecosystems = (['npm', 'pypi', 'gem', 'maven', 'cargo'] as const).map((kind) =>
    subjectOf(pkg({ kind, name: 'redis', version: '1.0.0' }), 'Debian:12'),
  )
  assert.deepEqual(
    ecosystems.map((subject) => `${subject?.ecosystem} ${subject?.name}`),
    ['npm redis', 'PyPI redis', 'RubyGems redis', 'Maven redis', 'crates.io redis'],
  )
})

test('subject: an apk is judged by its origin', () => {
  const apk = pkg({ kind: 'apk', name: 'libcrypto3', version: '3.3.1-r0', source: { name: 'openssl', version: '3.3.1-r0' } })
  assert.deepEqual(subjectOf(apk, 'Alpine:v3.20'), { ecosystem: 'Alpine:v3.20', name: 'openssl', version: '3.3.1-r0' })
  assert.equal(subjectOf(apk, 'Wolfi')?.ecosystem, 'Wolfi')
})

test('subject: no distribution, or one of another kind, judges nothing', () => {
  assert.equal(subjectOf(pkg({}), undefined), undefined)
  assert.equal(subjectOf(pkg({}), 'Alpine:v3.20'), undefined)
  assert.equal(subjectOf(pkg({ kind: 'apk' }), 'Debian:12'), undefined)
})

test('subject: language packages, PyPI names by PEP 503', () => {
  assert.deepEqual(subjectOf(pkg({ kind: 'npm', name: '@Scope/Name.js', version: '1.0.0' }), 'Debian:12'), {
    ecosystem: 'npm',
    name: '@Scope/Name.js',
    version: '1.0.0',
  })
  assert.deepEqual(subjectOf(pkg({ kind: 'pypi', name: 'Zope.Interface__x', version: '5.0' }), undefined), {
    ecosystem: 'PyPI',
    name: 'zope-interface-x',
    version: '5.0',
  })
})

test('subject: a language package that a distribution package owns is judged by the distribution alone (trivy#4067)', () => {
  assert.equal(subjectOf(pkg({ kind: 'pypi', name: 'requests', version: '2.28.1', ownedBy: 'python3-requests' }), 'Debian:12'), undefined)
  assert.equal(subjectOf(pkg({ kind: 'npm', name: 'npm', version: '9.2.0', ownedBy: 'npm' }), undefined), undefined)
})
