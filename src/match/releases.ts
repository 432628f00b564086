// Which advisories judge a distribution.
import type { OsRelease } from '../model/layer.ts'
import { debianEcosystem } from '../versions/debian-releases.ts'

/**
 * In: os-release. Out: the OSV ecosystem whose records judge this distribution, or undefined where there is none here.
 * Only the distribution's own id counts: what is merely like Debian builds other packages.
 */
export function ecosystemOf(release: OsRelease): string | undefined {
  const version = release.versionId ?? ''
  switch (release.id) {
    case 'debian':
      // Testing images name a release by its codename before it has a number.
      return version === '' ? debianEcosystem(release.codename ?? '') : suffixed('Debian', majorOf(version))
    case 'ubuntu':
      return suffixed('Ubuntu', ubuntuRelease(version))
    case 'alpine':
      return suffixed('Alpine', alpineBranch(version))
    case 'wolfi':
      return 'Wolfi'
    case 'chainguard':
      return 'Chainguard'
    case 'almalinux':
      return suffixed('AlmaLinux', majorOf(version))
    case 'rocky':
      return suffixed('Rocky Linux', majorOf(version))
    case 'arch':
      return 'Arch Linux'
    case 'rhel':
      return suffixed('Red Hat', prefixed('enterprise_linux:', majorOf(version)))
    case 'sles':
    case 'sled':
      return suffixed('SUSE', suseProduct(version))
    case 'opensuse-leap':
      return suffixed('openSUSE', prefixed('Leap ', majorAndMinor(version)))
    case 'opensuse-tumbleweed':
      return 'openSUSE:Tumbleweed'
    case 'mariner':
    case 'azurelinux':
      return suffixed('Azure Linux', majorOf(version))
    case 'photon':
      return suffixed('Photon OS', majorAndMinor(version))
    case 'mageia':
      return suffixed('Mageia', majorOf(version))
    case 'openeuler':
      return suffixed('openEuler', openEulerRelease(version, release.prettyName ?? ''))
    default:
      return undefined
  }
}

function prefixed(prefix: string, suffix: string | undefined): string | undefined {
  return suffix === undefined ? undefined : `${prefix}${suffix}`
}

function majorAndMinor(version: string): string | undefined {
  return /^\d{1,3}\.\d{1,3}$/.test(version) ? version : undefined
}

/** `15.6` is Service Pack 6 of 15; from 16 on there are none. */
function suseProduct(version: string): string | undefined {
  const match = /^(\d{2})(?:\.(\d{1,2}))?$/.exec(version)
  if (match === null) return undefined
  const [, major, minor = '0'] = match
  if (Number(major) >= 16) return `Linux Enterprise Server ${major}.${minor}`
  return `Linux Enterprise Server ${major}${minor === '0' ? '' : ` SP${minor}`}`
}

/** `openEuler 24.03 (LTS-SP1)`: only the name for people says which. */
function openEulerRelease(version: string, prettyName: string): string | undefined {
  const match = /^openEuler (\d{2}\.\d{2})(?: \((LTS(?:-SP\d{1,2})?)\))?$/.exec(prettyName)
  if (match === null || match[1] !== version) return undefined
  return match[2] === undefined ? version : `${version}-${match[2]}`
}

function suffixed(family: string, suffix: string | undefined): string | undefined {
  return suffix === undefined ? undefined : `${family}:${suffix}`
}

function majorOf(version: string): string | undefined {
  return /^(\d{1,3})(?:\.\d{1,3})*$/.exec(version)?.[1]
}

/** Every second April's release has long-term support. */
function ubuntuRelease(version: string): string | undefined {
  const match = /^(\d{1,2})\.(\d{2})$/.exec(version)
  if (match === null) return undefined
  return Number(match[1]) % 2 === 0 && match[2] === '04' ? `${version}:LTS` : version
}

/** `3.20.1` → `v3.20`; edge calls itself `3.21.0_alpha20240807`. */
function alpineBranch(version: string): string | undefined {
  if (version === 'edge' || /^\d{1,3}(?:\.\d{1,3}){1,2}_alpha\d{0,8}$/.test(version)) return 'edge'
  const match = /^(\d{1,3})\.(\d{1,3})(?:\.\d{1,3})?(?:_rc\d{1,3})?$/.exec(version)
  return match === null ? undefined : `v${match[1]}.${match[2]}`
}
