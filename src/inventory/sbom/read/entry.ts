/** One thing that an SBOM lists, before it is known what it is. */
export interface SbomEntry {
  /** Where in the document, for people: `components[3]`. */
  where: string
  name: string
  version?: string
  purl?: string
  /** Where it was found in the image, without a leading slash, as far as the document says. */
  locations: string[]
  licence?: string
  /** What the distribution built it from, and who owns the file it was read from: as our own documents, Syft's and Trivy's say it. */
  source?: { name: string; version?: string }
  ownedBy?: string
  /** Who built it. */
  vendor?: string
}

/** What is read of a document, whatever its form. */
export interface SbomContent {
  entries: SbomEntry[]
  release?: { id: string; versionId?: string; prettyName?: string }
  /** What is wrong with it, with its place. */
  problems: string[]
}

/** More than any image has; what is past it is not read, and said. */
export const mostEntries = 200_000

export type JsonObject = Record<string, unknown>

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Out: a text that is not empty, of at most so many characters; undefined for anything else. */
export function textOf(value: unknown, most = 4096): string | undefined {
  return typeof value === 'string' && value !== '' && value.length <= most ? value : undefined
}

export function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : []
}

/** `{name, value}` pairs, as CycloneDX keeps what it has no field for. */
export function propertiesOf(value: unknown): Map<string, string> {
  const pairs = listOf(value).slice(0, 1000).filter(isObject)
  return new Map(
    pairs.flatMap(({ name, value: its }) => (typeof name === 'string' && typeof its === 'string' ? [[name, its] as const] : [])),
  )
}

/** `openssl 3.0.11-1`, as our own documents have a source. */
export function sourceOf(text: string | undefined): SbomEntry['source'] {
  if (text === undefined) return undefined
  const [name = '', version] = text.split(' ')
  return { name, ...(version !== undefined && { version }) }
}
