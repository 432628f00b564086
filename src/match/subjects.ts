// Which advisories judge a package: the ecosystem of its distribution or language, and the name and version they use.
import type { ImagePackage, PackageKind, PackageVersion } from '../model/package.ts'
import { familyOf, normalName } from '../versions/ecosystem.ts'
import { moduleOf } from '../versions/modules.ts'
import { programSubject } from './programs.ts'

/** The families whose packages are of a kind: a database of another kind in an image is not of its distribution. */
const families: Partial<Record<PackageKind, ReadonlySet<string>>> = {
  deb: new Set(['Debian', 'Ubuntu']),
  apk: new Set(['Alpine', 'Wolfi', 'Chainguard']),
  alpm: new Set(['Arch Linux']),
  rpm: new Set(['AlmaLinux', 'Rocky Linux', 'Red Hat', 'SUSE', 'openSUSE', 'Azure Linux', 'Photon OS', 'Mageia', 'openEuler']),
}

/** Kinds of distribution packages: without a distribution that we know, nothing judges them. */
export const distributionKinds: ReadonlySet<PackageKind> = new Set(['deb', 'apk', 'rpm', 'alpm', 'opkg'])

/** Their records name the packages that are installed, and not the source package that these were built from. */
const namesBinaries: ReadonlySet<string> = new Set(['AlmaLinux', 'Red Hat'])

/** Kinds that stand for themselves, and the ecosystem whose records judge them. No records here speak of conda's packages. */
const ecosystems: Partial<Record<PackageKind, string>> = {
  npm: 'npm',
  pypi: 'PyPI',
  gem: 'RubyGems',
  composer: 'Packagist',
  nuget: 'NuGet',
  cran: 'CRAN',
  maven: 'Maven',
  golang: 'Go',
  cargo: 'crates.io',
  bitnami: 'Bitnami',
  hex: 'Hex',
  pub: 'Pub',
  swift: 'SwiftURL',
}

/**
 * In: a package of an image, and the OSV ecosystem of the image's distribution. Out: what to match, or undefined where
 * no advisory judges it: a distribution package without a distribution that we know, or that another built, and a language
 * package that a distribution package owns (the distribution's own record judges that, with its backported fixes).
 */
export function subjectOf(pkg: ImagePackage, distributionEcosystem: string | undefined): PackageVersion | undefined {
  if (distributionKinds.has(pkg.kind)) return distributionSubject(pkg, distributionEcosystem)
  if (pkg.ownedBy !== undefined) return undefined
  if (pkg.kind === 'program') return programSubject(pkg)
  if (isOwnCrate(pkg)) return undefined
  const ecosystem = ecosystems[pkg.kind]
  return ecosystem === undefined ? undefined : { ecosystem, name: normalName(ecosystem, pkg.name), version: pkg.version }
}

/** A crate that came from elsewhere than the registry may only be called like one there. */
function isOwnCrate({ kind, qualifiers }: ImagePackage): boolean {
  return kind === 'cargo' && qualifiers?.['source'] !== undefined
}

function distributionSubject(pkg: ImagePackage, ecosystem: string | undefined): PackageVersion | undefined {
  if (pkg.foreign === true || ecosystem === undefined || families[pkg.kind]?.has(familyOf(ecosystem)) !== true) return undefined
  const module = moduleOf(pkg.modularity)
  const { name, version } = namesBinaries.has(familyOf(ecosystem)) || isKernelHeaders(pkg) ? pkg : (pkg.source ?? pkg)
  return { ecosystem, name, version, ...(module !== undefined && { module }) }
}

/** Declarations alone: the flaws of the kernel, which was built from the same source, are not in them. */
function isKernelHeaders({ name, source }: ImagePackage): boolean {
  return /^(?:linux|kernel)(?:-|$)/.test(source?.name ?? '') && /^linux-(?:libc-dev|headers)(?:-|$)|^kernel-(?:\w+-)*headers$/.test(name)
}
