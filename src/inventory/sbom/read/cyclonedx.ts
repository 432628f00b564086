import {
  isObject,
  listOf,
  mostEntries,
  propertiesOf,
  sourceOf,
  textOf,
  type JsonObject,
  type SbomContent,
  type SbomEntry,
} from './entry.ts'

/** Components that are packages or may be; the others (files, devices, data) have nothing that advisories speak of. */
const packageTypes: ReadonlySet<unknown> = new Set([
  'library',
  'framework',
  'application',
  'firmware',
  'platform',
  'machine-learning-model',
])

/**
 * CycloneDX 1.4 to 1.7 in JSON. Components within components are read, however deep; the graph of dependencies is not walked, so
 * that a cycle in it is nobody's affair. cyclonedx.org/docs/1.7/json.
 */
export function readCycloneDx(document: JsonObject): SbomContent {
  const content: SbomContent = { entries: [], problems: [] }
  const pending = listOf(document['components']).map((value, at) => ({ value, where: `components[${at}]` }))
  pending.reverse()
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { value, where } = next
    if (!isObject(value)) {
      content.problems.push(`${where} is no object`)
      break
    }
    if (content.entries.length >= mostEntries) {
      content.problems.push(`it lists more than the ${mostEntries} components that are read`)
      break
    }
    if (value['type'] === 'operating-system') content.release ??= releaseOf(value)
    else if (packageTypes.has(value['type'])) content.entries.push(entryOf(value, where))
    for (const [at, inner] of listOf(value['components']).entries())
      pending.push({ value: inner, where: `${where.slice(0, 200)}.components[${at}]` })
  }
  return content
}

function entryOf(component: JsonObject, where: string): SbomEntry {
  const properties = propertiesOf(component['properties'])
  const group = textOf(component['group'])
  const name = textOf(component['name']) ?? ''
  const [version, purl, licence] = [textOf(component['version']), textOf(component['purl']), licenceOf(component['licenses'])]
  const source = sourceOf(properties.get('lazaret:source')) ?? trivySource(properties)
  const [ownedBy, vendor] = [properties.get('lazaret:ownedBy'), properties.get('lazaret:vendor')]
  return {
    where,
    name: group === undefined ? name : `${group}/${name}`,
    ...(version !== undefined && { version }),
    ...(purl !== undefined && { purl }),
    locations: locationsOf(component, properties),
    ...(licence !== undefined && { licence }),
    ...(source !== undefined && { source }),
    ...(ownedBy !== undefined && { ownedBy }),
    ...(vendor !== undefined && { vendor }),
  }
}

/** `evidence.occurrences`, else what Syft and Trivy say in properties. */
function locationsOf({ evidence }: JsonObject, properties: ReadonlyMap<string, string>): string[] {
  const occurrences = isObject(evidence) ? listOf(evidence['occurrences']).slice(0, 1000) : []
  const own = occurrences.flatMap((one) => (isObject(one) ? (textOf(one['location']) ?? []) : []))
  if (own.length > 0) return own.map(relative)
  const theirs = [properties.get('aquasecurity:trivy:FilePath'), properties.get('syft:location:0:path')]
  return theirs.flatMap((path) => (path === undefined || path === '' ? [] : [relative(path)]))
}

function trivySource(properties: ReadonlyMap<string, string>): SbomEntry['source'] {
  const of = (name: string) => properties.get(`aquasecurity:trivy:${name}`)
  const [name, version, release, epoch] = [of('SrcName'), of('SrcVersion'), of('SrcRelease'), of('SrcEpoch')]
  if (name === undefined || version === undefined) return undefined
  return {
    name,
    version: `${epoch === undefined || epoch === '0' ? '' : `${epoch}:`}${version}${release === undefined ? '' : `-${release}`}`,
  }
}

function licenceOf(licenses: unknown): string | undefined {
  const stated = listOf(licenses)
    .slice(0, mostLicences)
    .flatMap((one) => statedBy(one) ?? [])
  return stated.length === 0 ? undefined : stated.join(' AND ')
}

const mostLicences = 20

function statedBy(one: unknown): string | undefined {
  if (!isObject(one)) return undefined
  const { license } = one
  return textOf(one['expression']) ?? (isObject(license) ? (textOf(license['id']) ?? textOf(license['name'])) : undefined)
}

function releaseOf(component: JsonObject): NonNullable<SbomContent['release']> {
  const [id, versionId, prettyName] = [textOf(component['name']) ?? '', textOf(component['version']), textOf(component['description'])]
  return { id, ...(versionId !== undefined && { versionId }), ...(prettyName !== undefined && { prettyName }) }
}

function relative(path: string): string {
  return path.replace(/^\/+/, '')
}
