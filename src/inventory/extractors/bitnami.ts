import { PackageURL } from 'packageurl-js'
import { messageOf } from '../../kit/errors.ts'
import type { Package } from '../../model/package.ts'
import type { Extractor, Fact, WantedFile } from '../extractor.ts'
import { isIdentity, shortText } from '../text/identity.ts'

const document = /^opt\/bitnami\/(?:[^/]+\/)*\.spdx-[^/]+\.spdx$/
const components = 'opt/bitnami/.bitnami_components.json'
const mostPackages = 10_000

/**
 * What Bitnami lays beside the programs that it builds: an SPDX document a program, as JSON or as tag and value, and in
 * older images one list of all. Only packages with a package URL of Bitnami's count: what else a document lists is read
 * where it lies.
 * SPDX 2.3, "Package Information" and "External reference".
 */
export const bitnami = {
  name: 'bitnami',
  version: 1,
  maxBytes: 16 * 1024 * 1024,
  wants: (path) => path.startsWith('opt/bitnami/') && (path === components || document.test(path)),
  extract: (file) => (file.path === components ? listed(file) : documented(file)),
} satisfies Extractor

function* documented({ bytes }: WantedFile): Generator<Fact> {
  const text = bytes.toString('utf8')
  const packages = text.trimStart().startsWith('{') ? fromJson(text) : fromTags(text)
  if (packages instanceof Error) yield { problem: `no SPDX document: ${messageOf(packages).slice(0, 100)}` }
  else for (const found of packages) yield { package: found }
}

function* listed({ bytes }: WantedFile): Generator<Fact> {
  const json = parse(bytes.toString('utf8'))
  if (json instanceof Error) {
    yield { problem: `no list of components: ${messageOf(json).slice(0, 100)}` }
    return
  }
  for (const [name, entry] of Object.entries(json).slice(0, mostPackages)) {
    const version = isObject(entry) ? entry['version'] : undefined
    if (isIdentity(name) && isIdentity(version)) yield { package: { kind: 'bitnami', name, version } }
    else yield { problem: 'a component without a name or version that can be read' }
  }
}

function fromJson(text: string): Package[] | Error {
  const json = parse(text)
  if (json instanceof Error) return json
  const packages = json['packages']
  if (!Array.isArray(packages)) return new Error('it lists no packages')
  if (packages.length > mostPackages) return new Error(`it lists more than ${mostPackages} packages`)
  return (packages as unknown[]).filter(isObject).flatMap((entry) => {
    const references = Array.isArray(entry['externalRefs']) ? (entry['externalRefs'] as unknown[]).filter(isObject) : []
    const licence = typeof entry['licenseDeclared'] === 'string' ? entry['licenseDeclared'] : undefined
    return references.flatMap(({ referenceLocator }) => packageOf(referenceLocator, licence))
  })
}

/** Only the lines that name a package: its purl, and before it the licence. */
function fromTags(text: string): Package[] | Error {
  if (!/^SPDXVersion: /m.test(text)) return new Error('neither JSON nor tag and value')
  const packages: Package[] = []
  let licence: string | undefined
  for (const [, tag, value = ''] of text.matchAll(/^(PackageName|PackageLicenseDeclared|ExternalRef): (.*)$/gm)) {
    if (tag === 'PackageName') licence = undefined
    if (tag === 'PackageLicenseDeclared') licence = value
    if (tag === 'ExternalRef') packages.push(...packageOf(/^PACKAGE[-_]MANAGER purl (\S+)/.exec(value)?.[1], licence))
    if (packages.length > mostPackages) return new Error(`it lists more than ${mostPackages} packages`)
  }
  return packages
}

function packageOf(purl: unknown, licence: string | undefined): Package[] {
  if (typeof purl !== 'string' || !purl.startsWith('pkg:bitnami/') || purl.length > 2048) return []
  const { name, version } = parsePurl(purl)
  if (!isIdentity(name) || !isIdentity(version)) return []
  const declared = licence === 'NOASSERTION' || licence === 'NONE' ? undefined : shortText(licence)
  return [{ kind: 'bitnami', name, version, ...(declared !== undefined && { licence: declared }) }]
}

/** One that can't be parsed names nothing. */
function parsePurl(purl: string): { name?: string; version?: string | null } {
  try {
    const { name, version } = PackageURL.fromString(purl)
    return { ...(name !== undefined && { name }), ...(version !== undefined && { version }) }
  } catch {
    return {}
  }
}

function parse(text: string): Record<string, unknown> | Error {
  try {
    const json: unknown = JSON.parse(text)
    return isObject(json) ? json : new Error('no JSON object')
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
