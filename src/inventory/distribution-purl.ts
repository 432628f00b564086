import type { OsRelease } from '../model/layer.ts'
import type { Package } from '../model/package.ts'
import { packageUrl } from './package-url.ts'

/** Where the image does not say of which distribution it is. */
const families: Partial<Record<Package['kind'], string>> = { deb: 'debian', apk: 'alpine', alpm: 'arch', opkg: 'openwrt' }

/**
 * In: a package of a distribution, and the release of its image. Out: its package URL; the namespace is the distribution's id.
 * github.com/package-url/purl-spec, PURL-TYPES: deb, apk, alpm, rpm; opkg as others spell it.
 */
export function distributionPurl(pack: Package, release: OsRelease | undefined): string {
  const { kind, name, version, architecture, source, modularity } = pack
  const namespace = release?.id === 'rhel' ? 'redhat' : (release?.id ?? families[kind])
  const distro = release === undefined ? undefined : `${release.id}${release.versionId === undefined ? '' : `-${release.versionId}`}`
  if (kind !== 'rpm') return packageUrl(kind, namespace, name, version, qualified({ arch: architecture, distro }), undefined)
  const [, epoch, rest] = /^(?:(\d+):)?(.*)$/.exec(version) ?? []
  const upstream = source === undefined ? undefined : `${source.name}-${source.version.replace(/^\d+:/, '')}.src.rpm`
  const qualifiers = qualified({ arch: architecture, distro, epoch, rpmmod: modularity, upstream })
  return packageUrl(kind, namespace, name, rest, qualifiers, undefined)
}

function qualified(values: Record<string, string | undefined>): Record<string, string> | undefined {
  const present = Object.entries(values).filter((pair): pair is [string, string] => pair[1] !== undefined)
  return present.length === 0 ? undefined : Object.fromEntries(present)
}
