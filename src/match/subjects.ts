// Which advisories judge a package: the ecosystem of its distribution or language, and the name and version they use.
import type { OsRelease } from '../model/layer.ts'
import type { ImagePackage, PackageKind, PackageVersion } from '../model/package.ts'
import { debianEcosystem } from '../versions/debian-releases.ts'
import { familyOf, normalName } from '../versions/ecosystem.ts'
import { programSubject } from './programs.ts'

/** The families whose packages are of a kind: a database of another kind in an image is not of its distribution. */
const families: Partial<Record<PackageKind, ReadonlySet<string>>> = {
  deb: new Set(['Debian', 'Ubuntu']),
  apk: new Set(['Alpine', 'Wolfi', 'Chainguard']),
}

/** Kinds that stand for themselves, and the ecosystem whose records judge them. No records here speak of conda's packages. */
const ecosystems: Partial<Record<PackageKind, string>> = {
  npm: 'npm',
  pypi: 'PyPI',
  gem: 'RubyGems',
  composer: 'Packagist',
  nuget: 'NuGet',
  golang: 'Go',
  cargo: 'crates.io',
  bitnami: 'Bitnami',
}

/**
 * In: a package of an image, and the OSV ecosystem of the image's distribution. Out: what to match, or undefined where
 * no advisory judges it: a distribution package without a distribution that we know, and a language package that a
 * distribution package owns (the distribution's own record judges that, with its backported fixes).
 */
export function subjectOf(pkg: ImagePackage, distributionEcosystem: string | undefined): PackageVersion | undefined {
  if (pkg.kind === 'deb' || pkg.kind === 'apk') return distributionSubject(pkg, distributionEcosystem)
  if (pkg.ownedBy !== undefined) return undefined
  if (pkg.kind === 'program') return programSubject(pkg)
  const ecosystem = ecosystems[pkg.kind]
  return ecosystem && { ecosystem, name: normalName(ecosystem, pkg.name), version: pkg.version }
}

function distributionSubject(pkg: ImagePackage, ecosystem: string | undefined): PackageVersion | undefined {
  if (ecosystem === undefined || families[pkg.kind]?.has(familyOf(ecosystem)) !== true) return undefined
  return { ecosystem, name: pkg.source?.name ?? pkg.name, version: pkg.source?.version ?? pkg.version }
}

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
    default:
      return undefined
  }
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
