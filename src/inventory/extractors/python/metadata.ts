import type { Package } from '../../../model/package.ts'
import { headersOf } from '../../text/headers.ts'
import { isIdentity, shortText } from '../../text/identity.ts'
import { licenceOf } from './licence.ts'

const fields = new Set(['name', 'version', 'license', 'license-expression', 'classifier', 'requires-dist'])
const maxRequires = 5000

/** In: METADATA or PKG-INFO. Out: the distribution, or undefined where it has no name or no version that can be read. */
export function distributionOf(bytes: Buffer): Package | undefined {
  const headers = headersOf(bytes, fields)
  const name = headers.get('name')?.[0]
  const version = headers.get('version')?.[0]
  if (!isIdentity(name) || !isIdentity(version)) return undefined
  const licence = shortText(licenceOf(headers))
  const requires = requiredBy(headers.get('requires-dist') ?? [])
  return {
    kind: 'pypi',
    name: normaliseName(name),
    version,
    ...(licence !== undefined && { licence }),
    ...(requires.length > 0 && { requires }),
  }
}

/** PEP 503: lower case, and each run of `-`, `_` and `.` one `-`. */
export function normaliseName(name: string): string {
  return name.replaceAll(/[-_.]+/g, '-').toLowerCase()
}

/** PEP 508: a name, then extras, versions, and after a semicolon a marker; what only an extra asks for is not asked for. */
function requiredBy(requirements: readonly string[]): string[] {
  const names = new Set<string>()
  for (const requirement of requirements.slice(0, maxRequires)) {
    const name = /^[A-Za-z0-9][A-Za-z0-9._-]*/.exec(requirement)?.[0]
    const marker = requirement.slice(requirement.indexOf(';') + 1 || requirement.length)
    if (name !== undefined && !/\bextra\b/.test(marker)) names.add(normaliseName(name))
  }
  return [...names].filter(isIdentity)
}
