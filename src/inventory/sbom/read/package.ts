import { PackageURL } from 'packageurl-js'
import type { Package, PackageKind } from '../../../model/package.ts'
import { isIdentity, shortText } from '../../text/identity.ts'
import type { SbomEntry } from './entry.ts'

/** Each kind, and the type of its package URLs; what is of another type is named, and judged by nobody. */
const types: Record<PackageKind, string> = {
  deb: 'deb',
  apk: 'apk',
  rpm: 'rpm',
  alpm: 'alpm',
  opkg: 'opkg',
  npm: 'npm',
  pypi: 'pypi',
  gem: 'gem',
  composer: 'composer',
  nuget: 'nuget',
  cran: 'cran',
  conda: 'conda',
  maven: 'maven',
  golang: 'golang',
  cargo: 'cargo',
  bitnami: 'bitnami',
  hex: 'hex',
  otp: 'otp',
  pub: 'pub',
  swift: 'swift',
  luarocks: 'luarocks',
  wordpress: 'generic/wordpress',
  program: 'generic',
}
const kinds: ReadonlyMap<string, PackageKind> = new Map(Object.entries(types).map(([kind, type]) => [type, kind as PackageKind]))

/** Distributions: the qualifiers of their package URLs are known here, those of others are kept as they are. */
export const distributions: ReadonlySet<PackageKind> = new Set(['deb', 'apk', 'rpm', 'alpm', 'opkg'])

/** Types whose name has its namespace before it, and what stands between. */
const joints: ReadonlyMap<string, string> = new Map([
  ...['npm', 'composer', 'golang', 'swift'].map((type) => [type, '/'] as const),
  ['maven', ':'],
])

export type ReadEntry =
  | { package: Package; distro?: { id: string; versionId?: string } }
  /** A package of a kind that nothing here judges, or that says not what it is. */
  | { unsupported: string }
  | { problem: string }

/** In: what a document lists. Out: the package that it is; undefined where it is none. Throws nothing. purl-spec, PURL-TYPES. */
export function packageOf(entry: SbomEntry): ReadEntry | undefined {
  if (entry.purl === undefined) return entry.version === undefined ? undefined : { unsupported: 'unidentified' }
  const purl = parsed(entry.purl)
  if (purl === undefined) return { problem: `${JSON.stringify(entry.purl.slice(0, 200))} is no package URL` }
  const kind = kinds.get(isOfWordpress(purl) ? types.wordpress : purl.type)
  if (kind === undefined) return purl.type === 'oci' || purl.type === 'docker' ? undefined : { unsupported: purl.type }
  const name = nameOf(purl)
  const version = versionOf(purl) ?? entry.version
  if (version === undefined) return { unsupported: `${purl.type} (without a version)` }
  if (!isIdentity(name) || !isIdentity(version))
    return { problem: `${JSON.stringify(entry.purl.slice(0, 200))} has a name or a version that is none` }
  const distro = distroOf(purl)
  return { package: { kind, name, version, ...detailsOf(entry, purl, kind, version) }, ...(distro !== undefined && { distro }) }
}

function detailsOf(entry: SbomEntry, { qualifiers }: PackageURL, kind: PackageKind, version: string): Partial<Package> {
  const { arch: architecture, rpmmod: modularity } = qualifiers ?? {}
  const source = sourceOf(entry, qualifiers?.['upstream'], kind, version)
  const [licence, vendor] = [shortText(entry.licence), shortText(entry.vendor)]
  const isOwn = !distributions.has(kind) && Object.keys(qualifiers ?? {}).length > 0
  return {
    ...(isIdentity(architecture) && { architecture }),
    ...(source !== undefined && { source }),
    ...(licence !== undefined && { licence }),
    ...(distributions.has(kind) && vendor !== undefined && { vendor }),
    ...(kind === 'rpm' && isIdentity(modularity) && { modularity }),
    ...(isOwn && { qualifiers: { ...qualifiers } }),
  }
}

/**
 * `upstream=openssl@3.0.11-1`, as Syft writes it and we do; the version goes without saying where it is the same. Of an rpm it is the
 * file of the source package, which has no epoch: the package's own counts.
 */
function sourceOf({ source }: SbomEntry, upstream: string | undefined, kind: PackageKind, version: string): Package['source'] {
  if (source !== undefined && isIdentity(source.name))
    return { name: source.name, version: isIdentity(source.version) ? source.version : version }
  if (kind === 'rpm') return sourceRpm(upstream, version)
  const [name, its] = splitVersion(upstream ?? '')
  return isIdentity(name) ? { name, version: isIdentity(its) ? its : version } : undefined
}

function sourceRpm(upstream: string | undefined, version: string): Package['source'] {
  const [, name, rest] = /^(.+)-([^-]+-[^-]+)\.src\.rpm$/.exec(upstream ?? '') ?? []
  const epoch = /^\d+:/.exec(version)?.[0] ?? ''
  return isIdentity(name) && isIdentity(rest) ? { name, version: `${epoch}${rest}` } : undefined
}

function splitVersion(upstream: string): [string, string | undefined] {
  const at = upstream.indexOf('@', 1)
  return at < 0 ? [upstream, undefined] : [upstream.slice(0, at), upstream.slice(at + 1)]
}

function nameOf({ type, namespace, name }: PackageURL): string {
  const joint = joints.get(type)
  if (isOfWordpress({ type, namespace })) return `${namespace?.slice('wordpress/'.length)}/${name ?? ''}`
  if (type === 'pypi') return (name ?? '').replaceAll(/[-_.]+/g, '-').toLowerCase()
  return joint === undefined || namespace === undefined || namespace === null || namespace === ''
    ? (name ?? '')
    : `${namespace}${joint}${name}`
}

/** Its plug-ins have no type of their own (purl.ts). */
function isOfWordpress({ type, namespace }: Pick<PackageURL, 'type' | 'namespace'>): boolean {
  return type === 'generic' && namespace?.startsWith('wordpress/') === true
}

/** An rpm's epoch is beside its version. */
function versionOf({ type, version, qualifiers }: PackageURL): string | undefined {
  const epoch = type === 'rpm' ? qualifiers?.['epoch'] : undefined
  if (version === undefined || version === null || version === '') return undefined
  return epoch === undefined || epoch === '0' ? version : `${epoch}:${version}`
}

function distroOf({ type, namespace, qualifiers }: PackageURL): { id: string; versionId?: string } | undefined {
  if (!distributions.has(type as PackageKind)) return undefined
  const [, id, versionId] = /^(.+?)-(\d.*)$/.exec(qualifiers?.['distro'] ?? '') ?? []
  const named = id ?? qualifiers?.['distro'] ?? namespace ?? ''
  return named === '' ? undefined : { id: named, ...(versionId !== undefined && { versionId }) }
}

function parsed(text: string): PackageURL | undefined {
  try {
    return PackageURL.fromString(text)
  } catch (error) {
    if (error instanceof Error) return undefined
    throw error
  }
}
