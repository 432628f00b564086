import type { Package } from '../../model/package.ts'
import type { Extractor, Fact } from '../extractor.ts'
import { headersOf } from '../text/headers.ts'
import { isIdentity, shortText } from '../text/identity.ts'

const description = /(?:^|\/)(?:library|site-library)\/[A-Za-z][A-Za-z0-9.]*\/DESCRIPTION$/
const fields = new Set(['package', 'version', 'license', 'built', 'imports', 'depends', 'linkingto'])

/**
 * Packages of R as they are installed in a library: `DESCRIPTION` with a line of how it was built, which no source has.
 * Writing R Extensions, "The DESCRIPTION file".
 */
export const r = {
  name: 'r',
  version: 1,
  maxBytes: 1024 * 1024,
  wants: (path) => path.endsWith('/DESCRIPTION') && description.test(path),
  *extract(file): Generator<Fact> {
    const headers = headersOf(file.bytes, fields)
    if (headers.get('built') === undefined) return
    const found = packageOf(headers)
    yield found === undefined ? { problem: 'no name or no version that can be read' } : { package: found }
  },
} satisfies Extractor

function packageOf(headers: ReadonlyMap<string, string[]>): Package | undefined {
  const name = headers.get('package')?.[0]
  const version = headers.get('version')?.[0]
  if (!isIdentity(name) || !isIdentity(version)) return undefined
  const licence = shortText(headers.get('license')?.[0])
  const requires = namesIn(
    [...(headers.get('depends') ?? []), ...(headers.get('imports') ?? []), ...(headers.get('linkingto') ?? [])].join(','),
  )
  return { kind: 'cran', name, version, ...(licence !== undefined && { licence }), ...(requires.length > 0 && { requires }) }
}

/** `R (>= 3.5), methods, rlang (>= 1.0)`. */
function namesIn(text: string): string[] {
  const names = text.split(',').flatMap((part) => /^\s*([A-Za-z][A-Za-z0-9.]{0,255})\s*(?:\(|$)/.exec(part)?.[1] ?? [])
  return [...new Set(names)].filter((name) => name !== 'R').slice(0, 1000)
}
