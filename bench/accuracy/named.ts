// What is compared: packages by type, name and version, each spelled in one way whoever names it.
import { PackageURL } from 'packageurl-js'

export interface Named {
  /** Of a package URL. */
  type: string
  name: string
  version: string
}

/** Of these no manager's list speaks: programs known by their bytes, images, files. */
const unlisted = new Set(['generic', 'github', 'oci', 'bitnami', 'docker', 'swid'])

/** In: a package URL. Out: what it names; undefined where it is of a type that no manager lists. Throws where it is none. */
export function namedBy(purl: string): Named | undefined {
  const { type, namespace, name, version, qualifiers } = PackageURL.fromString(purl)
  if (unlisted.has(type)) return undefined
  // The namespace of a distribution's package is the distribution.
  const whole = isOfDistribution(type) || !namespace ? name : `${namespace}${type === 'maven' ? ':' : '/'}${name}`
  return named(type, whole, withEpoch(version ?? '', qualifiers?.['epoch']))
}

/** Of rpm and dpkg: some write it as a qualifier. */
function withEpoch(version: string, epoch = '0'): string {
  return epoch === '0' || version.startsWith(`${epoch}:`) ? version : `${epoch}:${version}`
}

/** In: as a manager prints them. Out: as they are compared. */
export function named(type: string, name: string, version: string): Named {
  return { type, name: spelled(type, name), version: type === 'golang' ? version.replace(/^(?:v|go)(?=\d)/, '') : version }
}

export function keyOf({ type, name, version }: Named): string {
  return `${type} ${name} ${version}`
}

function spelled(type: string, name: string): string {
  if (type === 'pypi') return name.toLowerCase().replaceAll(/[-_.]+/g, '-') // PEP 503
  if (type === 'nuget' || type === 'golang' || type === 'composer') return name.toLowerCase()
  return name
}

function isOfDistribution(type: string): boolean {
  return ['deb', 'apk', 'rpm', 'alpm', 'opkg'].includes(type)
}
