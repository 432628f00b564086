import { PackageURL } from 'packageurl-js'
import type { OsRelease } from '../../model/layer.ts'
import type { ImagePackage } from '../../model/package.ts'
import { licencesOf } from './licences.ts'
import type { LicenceChoice } from './licences.ts'

export interface Component {
  type: 'library' | 'operating-system' | 'container'
  'bom-ref': string
  name: string
  version?: string
  group?: string
  description?: string
  purl?: string
  licenses?: LicenceChoice[]
  evidence?: { occurrences: { location: string }[] }
  properties?: { name: string; value: string }[]
}

/** In: the packages of an image. Out: one component per package URL, with every place where it was found. */
export function packageComponents(packages: readonly ImagePackage[]): Component[] {
  return [...Map.groupBy(packages, ({ purl }) => purl).values()].map((same) => packageComponent(same[0] as ImagePackage, same))
}

function packageComponent(pack: ImagePackage, same: ImagePackage[]): Component {
  const { group, name } = splitName(pack)
  const licenses = licencesOf(licenceAmong(same))
  const locations = [...new Set(same.map(({ location }) => location))]
  return {
    type: 'library',
    'bom-ref': pack.purl,
    ...(group !== undefined && { group }),
    name,
    version: pack.version,
    ...(licenses.length > 0 && { licenses }),
    purl: purlWithSource(pack),
    evidence: { occurrences: locations.map((location) => ({ location: `/${location}` })) },
    properties: propertiesOf(pack),
  }
}

/** Of one package at several places, not every one says its licence. */
export function licenceAmong(same: readonly ImagePackage[]): string | undefined {
  return same.find(({ licence }) => licence !== undefined)?.licence
}

/**
 * Advisories of a distribution name what a package was built from: other scanners take it from the qualifier `upstream`, as Syft
 * writes it. In: a package. Out: its package URL, with that where it has a name or version of its own.
 */
export function purlWithSource({ kind, purl, source, name, version }: ImagePackage): string {
  if (source === undefined || kind === 'rpm' || (source.name === name && source.version === version)) return purl
  const { type, namespace, name: its, version: itsVersion, qualifiers, subpath } = PackageURL.fromString(purl)
  const upstream = source.version === version ? source.name : `${source.name}@${source.version}`
  return new PackageURL(type, namespace, its, itsVersion, { ...qualifiers, upstream }, subpath).toString()
}

/** A scope of npm, or a group of Maven. */
function splitName({ kind, name }: ImagePackage): { group?: string; name: string } {
  const at = kind === 'maven' ? name.indexOf(':') : kind === 'npm' && name.startsWith('@') ? name.indexOf('/') : -1
  return at < 0 ? { name } : { group: name.slice(0, at), name: name.slice(at + 1) }
}

function propertiesOf({ layer, ownedBy, source, vendor }: ImagePackage): { name: string; value: string }[] {
  return [
    { name: 'lazaret:layer', value: layer },
    ...(source === undefined ? [] : [{ name: 'lazaret:source', value: `${source.name} ${source.version}` }]),
    ...(ownedBy === undefined ? [] : [{ name: 'lazaret:ownedBy', value: ownedBy }]),
    ...(vendor === undefined ? [] : [{ name: 'lazaret:vendor', value: vendor }]),
  ]
}

export function osComponent({ id, versionId, prettyName }: OsRelease): Component {
  return {
    type: 'operating-system',
    'bom-ref': `os:${id}${versionId === undefined ? '' : `-${versionId}`}`,
    name: id,
    ...(versionId !== undefined && { version: versionId }),
    ...(prettyName !== undefined && { description: prettyName }),
  }
}
