import type { OsRelease } from '../model/layer.ts'
import type { Package } from '../model/package.ts'
import { distributionPurl } from './distribution-purl.ts'
import { baseOf, parentOf } from './tar/paths.ts'
import { packageUrl } from './package-url.ts'

/**
 * In: a package, and the release of its image where that is known. Out: its package URL, canonical.
 * github.com/package-url/purl-spec, PURL-TYPES: npm, pypi, gem, composer, nuget, conda, cran, maven, golang, cargo, hex,
 * otp, pub, swift, luarocks, bitnami, generic (also for WordPress' plug-ins, which have no type).
 */
export function purlOf(pack: Package, release?: OsRelease): string {
  switch (pack.kind) {
    case 'deb':
    case 'apk':
    case 'rpm':
    case 'alpm':
    case 'opkg':
      return distributionPurl(pack, release)
    case 'maven':
      return mavenPurl(pack)
    case 'npm':
    case 'composer':
      return namespacedPurl(pack)
    case 'pypi':
    case 'gem':
    case 'nuget':
    case 'conda':
    case 'cran':
      return packageUrl(pack.kind, undefined, pack.name, pack.version, pack.qualifiers, undefined)
    case 'golang':
    case 'swift':
      return pathPurl(pack)
    case 'wordpress':
      return packageUrl('generic', wordpressFolder(pack.name), baseOf(pack.name), pack.version, undefined, undefined)
    case 'hex':
    case 'otp':
    case 'pub':
    case 'luarocks':
    case 'cargo':
    case 'bitnami':
      return packageUrl(pack.kind, undefined, pack.name, pack.version, undefined, undefined)
    case 'program':
      return packageUrl('generic', undefined, pack.name, pack.version, undefined, undefined)
  }
}

/** `plugins/akismet` → `wordpress/plugins`. */
function wordpressFolder(name: string): string {
  return `wordpress/${parentOf(name)}`
}

/** The path of a module, or of a repository with its host, up to its last part is the namespace. */
function pathPurl({ kind, name, version }: Package): string {
  const slash = name.lastIndexOf('/')
  return packageUrl(kind, slash < 0 ? undefined : name.slice(0, slash), name.slice(slash + 1), version, undefined, undefined)
}

/** In a group, dots are no separators: it is one segment. */
function mavenPurl({ name, version }: Package): string {
  const colon = name.indexOf(':')
  return packageUrl('maven', name.slice(0, colon), name.slice(colon + 1), version, undefined, undefined)
}

/** An npm scope, or the vendor of a composer package. */
function namespacedPurl({ kind, name, version, qualifiers }: Package): string {
  const slash = kind === 'composer' || name.startsWith('@') ? name.indexOf('/') : -1
  const namespace = slash < 0 ? undefined : name.slice(0, slash)
  return packageUrl(kind, namespace, name.slice(slash + 1), version, qualifiers, undefined)
}
