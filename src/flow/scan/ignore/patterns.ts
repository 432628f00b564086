import { matchesGlob } from 'node:path'
import { PackageURL } from 'packageurl-js'
import type { Place } from '../places.ts'

const mostPattern = 1024

/** In: a glob of paths (`**` over folders), with or without a leading slash. Out: whether the place's file is one of them. */
export function isAtPath(place: Place, glob: string): boolean {
  const pattern = glob.replace(/^\.?\/+/, '')
  return pattern.length <= mostPattern && (place.path === pattern || matchesGlob(place.path, pattern))
}

/**
 * In: a package URL as people write one into an ignore file. Out: whether it speaks of this package: what it leaves out (version,
 * qualifiers) may be anything. purl-spec, "Rules for each purl component".
 */
export function isPurl(place: Place, text: string): boolean {
  const [wanted, its] = [parsed(text), parsed(place.purl)]
  if (wanted === undefined || its === undefined) return false
  if (wanted.type !== its.type || wanted.name !== its.name || (wanted.namespace ?? '') !== (its.namespace ?? '')) return false
  if (wanted.version !== null && wanted.version !== undefined && wanted.version !== its.version) return false
  return Object.entries(wanted.qualifiers ?? {}).every(([key, value]) => (its.qualifiers ?? {})[key] === value)
}

export function isPurlText(text: string): boolean {
  return parsed(text) !== undefined
}

function parsed(text: string): PackageURL | undefined {
  try {
    return PackageURL.fromString(text)
  } catch (error) {
    if (error instanceof Error) return undefined
    throw error
  }
}
