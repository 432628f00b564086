import { createHash } from 'node:crypto'
import { LazaretError, messageOf } from '../../../kit/errors.ts'
import { digestOf } from '../../../model/digest.ts'
import type { LayerFacts, OsRelease, Unsupported } from '../../../model/layer.ts'
import { shortText } from '../../text/identity.ts'
import { readCycloneDx } from './cyclonedx.ts'
import { isObject, type JsonObject, type SbomContent, type SbomEntry } from './entry.ts'
import { distributions, packageOf } from './package.ts'
import { readScanned } from './scanned.ts'
import { readSpdx2, readSpdx3 } from './spdx.ts'

const mostProblems = 100
/** How other scanners name distributions in their documents. */
const otherNames: ReadonlyMap<string, string> = new Map(Object.entries({ redhat: 'rhel', oracle: 'ol', amazon: 'amzn', alma: 'almalinux' }))

/**
 * An SBOM as the one layer of an image: CycloneDX 1.4 to 1.7, SPDX 2.2 to 3.0, or what `scan --format json` printed, all in JSON.
 * In: its bytes, and a name for it. Out: facts; what could not be read stands in `problems`, which make the image `unreadable`.
 * Throws UNREADABLE where it is no JSON, or of no such form.
 */
export function readSbom(bytes: Buffer, name: string): LayerFacts {
  const { entries, problems, release: stated } = contentOf(bytes, name)
  const facts = emptyFacts(bytes)
  const owners = new Map<string, string[]>()
  let distro: { id: string; versionId?: string } | undefined
  for (const entry of entries) {
    const found = packageOf(entry)
    if (found === undefined) continue
    if ('problem' in found) problems.push(`${entry.where}: ${found.problem}`)
    else if ('unsupported' in found) facts.unsupported.push(unsupportedOf(entry, found.unsupported))
    else {
      distro ??= found.distro
      const locations = locationsOf(entry)
      for (const location of new Set(locations)) facts.packages.push({ location, package: found.package })
      if (entry.ownedBy !== undefined) owners.set(entry.ownedBy, [...(owners.get(entry.ownedBy) ?? []), ...locations])
    }
  }
  const own = stated ?? distro
  if (own !== undefined && own.id !== '') facts.releases.push({ location: 'etc/os-release', release: releaseOf(own) })
  handToOwners(facts, owners)
  facts.problems.push(...problems.slice(0, mostProblems))
  if (problems.length > mostProblems) facts.problems.push(`and ${problems.length - mostProblems} more problems`)
  return facts
}

function contentOf(bytes: Buffer, name: string): SbomContent {
  const document = parsed(bytes, name)
  if (document['bomFormat'] === 'CycloneDX')
    return versioned(document['specVersion'], /^1\.[4-7]$/, 'CycloneDX', name, readCycloneDx(document))
  const { spdxVersion } = document
  if (typeof spdxVersion === 'string') return versioned(spdxVersion, /^SPDX-2\.[23](?:\.\d+)?$/, '', name, readSpdx2(document))
  const context = JSON.stringify(document['@context'] ?? '').slice(0, 4096)
  if (/spdx\.org\/rdf\/3\.0/.test(context)) return readSpdx3(document)
  if (Array.isArray(document['packages']) && typeof document['digest'] === 'string') return readScanned(document)
  throw new LazaretError(
    'UNREADABLE',
    `${name} is JSON, but no SBOM: neither CycloneDX 1.4 to 1.7, nor SPDX 2.2 to 3.0, nor the JSON of a scan`,
  )
}

/** Another version of a form is read as far as it goes, and said: what it has that is not known here may be what counts. */
function versioned(version: unknown, known: RegExp, form: string, name: string, content: SbomContent): SbomContent {
  const text = typeof version === 'string' ? version.slice(0, 40) : 'without a version'
  return known.test(text)
    ? content
    : { ...content, problems: [`${name}: ${form} ${text} is not known here`.replace('  ', ' '), ...content.problems] }
}

function parsed(bytes: Buffer, name: string): JsonObject {
  let value: unknown
  try {
    value = JSON.parse(bytes.toString('utf8').replace(/^\uFEFF/, ''))
  } catch (cause) {
    throw new LazaretError('UNREADABLE', `${name} is no JSON: ${messageOf(cause).slice(0, 200)}`, { cause })
  }
  if (isObject(value)) return value
  throw new LazaretError('UNREADABLE', `${name} is no JSON object`)
}

function emptyFacts(bytes: Buffer): LayerFacts {
  return {
    diffId: digestOf('sha256', createHash('sha256').update(bytes).digest('hex')),
    sizeBytes: bytes.length,
    files: [],
    whiteouts: [],
    opaque: [],
    packages: [],
    releases: [],
    unsupported: [],
    problems: [],
  }
}

function unsupportedOf({ locations, name, where }: SbomEntry, kind: string): Unsupported {
  return { kind: kind.slice(0, 60), path: locations[0] ?? shortText(name) ?? where, component: true }
}

function releaseOf({ id, versionId, prettyName }: NonNullable<SbomContent['release']>): OsRelease {
  const lower = id.toLowerCase()
  return {
    id: otherNames.get(lower) ?? lower,
    ...(versionId !== undefined && { versionId }),
    idLike: [],
    ...(prettyName !== undefined && { prettyName }),
  }
}

/** In an image, what lies in an archive of yarn's cache counts only where a map beside it uses it; a document has no such maps. */
function locationsOf({ locations, where }: SbomEntry): string[] {
  const usable = locations.filter((path) => !path.endsWith('.zip'))
  return usable.length === 0 ? [where] : usable
}

/** A package that the distribution's owns is judged with that one, in a document as in an image. */
function handToOwners(facts: LayerFacts, owners: ReadonlyMap<string, string[]>): void {
  for (const found of facts.packages) {
    const owned = distributions.has(found.package.kind) ? owners.get(found.package.name) : undefined
    if (owned !== undefined) found.package.ownedFiles = owned
  }
}
