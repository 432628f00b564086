/** What a descriptor says of the artifact that it belongs to; each absent where it can't be told. */
export interface Coordinates {
  group?: string
  artifact?: string
  version?: string
}

/** Elements that are looked at: children of `project`, of its `parent` and its `properties`. */
const wanted = /^project\/(?:groupId|artifactId|version|parent\/(?:groupId|version)|properties\/[\w.-]+)$/
const mostDepth = 64

/**
 * In: a pom.xml. Out: its coordinates. Group and version come from its parent where it has none of its own; a property is
 * put in where the same file defines it. What then still holds a `${…}` is left out: the parent that would say it is
 * not here. Maven, "POM Reference". Entities beyond XML's own five are not resolved, and nothing outside is read.
 */
export function parsePom(bytes: Buffer): Coordinates {
  const values = valuesIn(bytes.toString('utf8'))
  const group = resolve(values.get('project/groupId') ?? values.get('project/parent/groupId'), values)
  const artifact = resolve(values.get('project/artifactId'), values)
  const version = resolve(values.get('project/version') ?? values.get('project/parent/version'), values)
  return {
    ...(group !== undefined && { group }),
    ...(artifact !== undefined && { artifact }),
    ...(version !== undefined && { version }),
  }
}

/** One pass over the tags; comments, instructions and CDATA are passed over as they come. */
function valuesIn(xml: string): Map<string, string> {
  const values = new Map<string, string>()
  const path: string[] = []
  let at = 0
  for (;;) {
    const open = xml.indexOf('<', at)
    if (open < 0) return values
    const skipped = skip(xml, open)
    if (skipped !== undefined) {
      at = skipped
      continue
    }
    const close = xml.indexOf('>', open)
    if (close < 0) return values
    const tag = xml.slice(open + 1, close)
    if (tag.startsWith('/')) path.pop()
    else if (!tag.endsWith('/')) {
      path.push(tagName(tag))
      if (path.length > mostDepth) return values
      keep(values, path.join('/'), xml, close + 1)
    }
    at = close + 1
  }
}

/** In: where a `<` stands. Out: where what is no tag ends. */
function skip(xml: string, open: number): number | undefined {
  const ends: [string, string][] = [
    ['<!--', '-->'],
    ['<![CDATA[', ']]>'],
    ['<?', '?>'],
    ['<!', '>'],
  ]
  const end = ends.find(([start]) => xml.startsWith(start, open))?.[1]
  if (end === undefined) return undefined
  const found = xml.indexOf(end, open)
  return found < 0 ? xml.length : found + end.length
}

/** `pom:groupId attribute="…"` → `groupId`. */
function tagName(tag: string): string {
  const name = /^[^\s]+/.exec(tag)?.[0] ?? ''
  return name.slice(name.indexOf(':') + 1)
}

/** The first of each counts: Maven refuses a second. */
function keep(values: Map<string, string>, path: string, xml: string, from: number): void {
  if (!wanted.test(path) || values.has(path)) return
  const end = xml.indexOf('<', from)
  const text = xml.slice(from, Math.min(end < 0 ? xml.length : end, from + 1024)).trim()
  if (text !== '') values.set(path, decodeEntities(text))
}

const entities: Record<string, string> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" }

function decodeEntities(text: string): string {
  return text.replaceAll(/&(\w+);/g, (whole, name: string) => entities[name] ?? whole)
}

const wellKnown: Record<string, string[]> = {
  'project.version': ['project/version', 'project/parent/version'],
  'project.groupId': ['project/groupId', 'project/parent/groupId'],
  'project.artifactId': ['project/artifactId'],
  'project.parent.version': ['project/parent/version'],
  'project.parent.groupId': ['project/parent/groupId'],
}

const mostRounds = 8

function resolve(text: string | undefined, values: ReadonlyMap<string, string>): string | undefined {
  let resolved = text
  for (let round = 0; resolved !== undefined && resolved.includes('${'); round++) {
    if (round === mostRounds || resolved.length > 1024) return undefined
    const before = resolved
    resolved = resolved.replaceAll(/\$\{([\w.-]+)\}/g, (whole, name: string) => propertyOf(name, values) ?? whole)
    if (resolved === before) return undefined
  }
  return resolved
}

function propertyOf(name: string, values: ReadonlyMap<string, string>): string | undefined {
  const places = Object.hasOwn(wellKnown, name) ? (wellKnown[name] ?? []) : [`project/properties/${name}`]
  return places.map((place) => values.get(place)).find((value) => value !== undefined)
}
