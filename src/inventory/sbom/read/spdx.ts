import { isObject, listOf, mostEntries, textOf, type JsonObject, type SbomContent, type SbomEntry } from './entry.ts'

/** What is in an image and is no package that advisories speak of. */
const otherPurposes: ReadonlySet<unknown> = new Set([
  'CONTAINER',
  'FILE',
  'SOURCE',
  'ARCHIVE',
  'container',
  'file',
  'source',
  'archive',
  'manifest',
])

/** A package may be at thousands of places, and all of them are in one text. */
const mostInfo = 1024 * 1024

/** SPDX 2.2 and 2.3 in JSON; relationships are not walked. spdx.github.io/spdx-spec/v2.3. */
export function readSpdx2(document: JsonObject): SbomContent {
  const texts = ownTexts(document)
  return contentOf(listOf(document['packages']), 'packages', (item, where) => {
    if (/^OPERATING[-_]SYSTEM$/.test(String(item['primaryPackagePurpose']))) return osOf(item, item['versionInfo'])
    const purl = listOf(item['externalRefs'])
      .slice(0, 1000)
      .flatMap((ref) => (isObject(ref) && ref['referenceType'] === 'purl' ? (textOf(ref['referenceLocator']) ?? []) : []))[0]
    if (purl === undefined && otherPurposes.has(item['primaryPackagePurpose'])) return undefined
    // Of other kinds others name the maintainer there.
    const vendor = purl?.startsWith('pkg:rpm/') === true ? /^Organization: (.+)$/.exec(textOf(item['supplier']) ?? '')?.[1] : undefined
    const declared = textOf(item['licenseDeclared'])
    const licence = texts.get(declared) ?? declared
    const entry = entryOf(item, where, item['versionInfo'], purl, licence, textOf(item['sourceInfo'], mostInfo))
    return vendor === undefined ? entry : { ...entry, vendor }
  })
}

/** Licences that our own documents keep as texts, by their references (spdx-document.ts). */
function ownTexts(document: JsonObject): Map<string | undefined, string> {
  return new Map(
    listOf(document['hasExtractedLicensingInfos'])
      .slice(0, 10_000)
      .flatMap((info) => {
        const [id, text] = isObject(info) ? [textOf(info['licenseId']), textOf(info['extractedText'])] : []
        return id !== undefined && text !== undefined && /^LicenseRef-[0-9a-f]{24}$/.test(id) ? [[id, text] as const] : []
      }),
  )
}

/** SPDX 3.0 as JSON-LD in its canonical form: `@graph` with elements of type `software_Package`. spdx.github.io/spdx-spec/v3.0.1. */
export function readSpdx3(document: JsonObject): SbomContent {
  const packages = listOf(document['@graph']).filter((element) => !isObject(element) || element['type'] === 'software_Package')
  return contentOf(packages, '@graph', (item, where) => {
    if (item['software_primaryPurpose'] === 'operatingSystem') return osOf(item, item['software_packageVersion'])
    const identified = listOf(item['externalIdentifier'])
      .slice(0, 1000)
      .flatMap((one) => (isObject(one) && one['externalIdentifierType'] === 'packageUrl' ? (textOf(one['identifier']) ?? []) : []))[0]
    const purl = textOf(item['software_packageUrl']) ?? identified
    if (purl === undefined && otherPurposes.has(item['software_primaryPurpose'])) return undefined
    return entryOf(item, where, item['software_packageVersion'], purl, undefined, textOf(item['software_sourceInfo'], mostInfo))
  })
}

type Read = SbomEntry | { release: NonNullable<SbomContent['release']> } | undefined

function contentOf(items: unknown[], list: string, read: (item: JsonObject, where: string) => Read): SbomContent {
  const content: SbomContent = { entries: [], problems: [] }
  for (const [at, item] of items.entries()) {
    if (content.entries.length >= mostEntries) {
      content.problems.push(`it lists more than the ${mostEntries} packages that are read`)
      break
    }
    if (!isObject(item)) {
      content.problems.push(`${list}[${at}] is no object`)
      break
    }
    const found = read(item, `${list}[${at}]`)
    if (found === undefined) continue
    if ('release' in found) content.release ??= found.release
    else content.entries.push(found)
  }
  return content
}

function entryOf(
  item: JsonObject,
  where: string,
  version: unknown,
  purl: string | undefined,
  licence: string | undefined,
  info: string | undefined,
): SbomEntry {
  const its = textOf(version)
  const known = licence === 'NOASSERTION' || licence === 'NONE' ? undefined : licence
  return {
    where,
    name: textOf(item['name']) ?? '',
    ...(its !== undefined && { version: its }),
    ...(purl !== undefined && { purl }),
    ...(known !== undefined && { licence: known }),
    ...wordsOf(info),
  }
}

/** Our own documents say `found at /a, /b`, `owned by x`; Syft and Trivy have words of their own, and places that can't be told from them. */
function wordsOf(info = ''): Pick<SbomEntry, 'locations' | 'ownedBy'> {
  const found = /^found at (\/.*?)(?:; |$)/.exec(info)?.[1]
  const ownedBy = /(?:^|; )owned by ([^\s;]+)/.exec(info)?.[1]
  const syft = /acquired package info from [^:]*: (\/[^,]*)/.exec(info)?.[1]
  const paths = found?.split(', ') ?? (syft === undefined ? [] : [syft])
  return { locations: paths.map((path) => path.replace(/^\/+/, '')), ...(ownedBy !== undefined && { ownedBy }) }
}

function osOf(item: JsonObject, version: unknown): { release: NonNullable<SbomContent['release']> } {
  const [id, versionId, prettyName] = [textOf(item['name']) ?? '', textOf(version), textOf(item['summary'])]
  return { release: { id, ...(versionId !== undefined && { versionId }), ...(prettyName !== undefined && { prettyName }) } }
}
