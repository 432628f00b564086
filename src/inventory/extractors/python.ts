import type { Package } from '../../model/package.ts'
import type { Extractor, Fact } from '../extractor.ts'
import { isIdentity, shortText } from '../text/identity.ts'
import { stanzasOf } from '../text/stanzas.ts'

const metadata = /(?:^|\/)(?:[^/]+\.dist-info\/METADATA|[^/]+\.egg-info(?:\/PKG-INFO)?|EGG-INFO\/PKG-INFO)$/
const fields = new Set(['name', 'version', 'license', 'license-expression'])

/**
 * Installed Python distributions, wherever they lie: wheels (`*.dist-info/METADATA`), setuptools (`*.egg-info/PKG-INFO`),
 * distutils and Debian (`*.egg-info` as a file), eggs (`EGG-INFO/PKG-INFO`).
 * packaging.python.org, "Recording installed projects" and "Core metadata"; names by PEP 503.
 */
export const python = {
  name: 'python',
  version: 1,
  maxBytes: 16 * 1024 * 1024,
  wants: (path) => metadata.test(path),
  *extract(file): Generator<Fact> {
    const [stanza] = stanzasOf(file.bytes, fields, true)
    if (stanza === undefined) return
    const found = packageOf(stanza.fields)
    yield found === undefined ? { problem: 'no name or no version that can be read' } : { package: found }
  },
} satisfies Extractor

function packageOf(fields: Map<string, string>): Package | undefined {
  const name = fields.get('name')
  const version = fields.get('version')
  if (!isIdentity(name) || !isIdentity(version)) return undefined
  const licence = shortText(fields.get('license-expression') ?? fields.get('license'))
  return { kind: 'pypi', name: normaliseName(name), version, ...(licence !== undefined && licence !== 'UNKNOWN' && { licence }) }
}

/** PEP 503: lower case, and each run of `-`, `_` and `.` one `-`. */
export function normaliseName(name: string): string {
  return name.replaceAll(/[-_.]+/g, '-').toLowerCase()
}
