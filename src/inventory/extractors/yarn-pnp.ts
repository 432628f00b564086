import { messageOf } from '../../kit/errors.ts'
import type { Extractor, Fact } from '../extractor.ts'
import { joinPath, normalisePath, parentOf } from '../tar/paths.ts'
import { isObject, own, parseObject } from '../text/json.ts'

const maxPackages = 200_000
const map = /(?:^|\/)\.pnp\.(?:c?js|data\.json)$/

/** A statement that starts with a JSON text in single quotes, line by line continued; before yarn 3 an object by itself. */
const quoted = /\bRAW_RUNTIME_STATE\s*=\s*'/
const bare = /\bhydrateRuntimeState\(\s*(?=\{)/

/**
 * The map by which yarn's Plug'n'Play finds packages: which archives of its cache are in use. It is a program; only the
 * JSON in it is read, and nothing is run. yarnpkg.com, "Plug'n'Play specification".
 */
export const yarnPnp = {
  name: 'yarn-pnp',
  version: 1,
  maxBytes: 64 * 1024 * 1024,
  wants: (path) => (path.endsWith('.pnp.cjs') || path.endsWith('.pnp.js') || path.endsWith('.pnp.data.json')) && map.test(path),
  *extract(file): Generator<Fact> {
    const text = jsonIn(file.path, file.bytes.toString('utf8'))
    if (text === undefined) return
    const json = parseObject(Buffer.from(text))
    if (json instanceof Error) {
      yield { problem: `no map of packages that can be read: ${messageOf(json).slice(0, 100)}` }
      return
    }
    const folder = parentOf(file.path)
    const archives = new Set<string>()
    for (const location of locationsIn(own(json, 'packageRegistryData'))) {
      const archive = archiveOf(joinPath(folder, location))
      if (archive !== undefined) archives.add(archive)
    }
    if (archives.size > 0) yield { manifest: { kind: 'npm', archives: [...archives] } }
  },
} satisfies Extractor

/** Undefined: yarn 1, whose packages are unpacked folders, or a loader whose map is the `.pnp.data.json` beside it. */
function jsonIn(path: string, text: string): string | undefined {
  if (path.endsWith('.json')) return text
  const inQuotes = quoted.exec(text)
  if (inQuotes !== null) return unquote(text, inQuotes.index + inQuotes[0].length)
  const asObject = bare.exec(text)
  if (asObject === null) return undefined
  const start = asObject.index + asObject[0].length
  const end = text.indexOf('}, {basePath', start)
  return end < 0 ? undefined : text.slice(start, end + 1)
}

/** A string of JavaScript up to its closing quote: a backslash takes the next character as it is, and drops a line end. */
function unquote(text: string, start: number): string {
  let end = start
  while (end < text.length && text[end] !== "'") end += text[end] === '\\' ? 2 : 1
  return text.slice(start, end).replaceAll(/\\(\r?\n|[^])/g, (_, next: string) => (next.endsWith('\n') ? '' : next))
}

/** `[[name, [[reference, {packageLocation}]]]]`. */
function* locationsIn(registry: unknown): Generator<string> {
  let left = maxPackages
  for (const named of listOf(registry))
    for (const version of listOf(listOf(named)[1])) {
      const entry = listOf(version)[1]
      const location = isObject(entry) ? own(entry, 'packageLocation') : undefined
      if (typeof location === 'string' && location.length <= 4096 && left-- > 0) yield location
    }
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : []
}

/** In: a location, from the root. Out: the zip in it; `__virtual__/ID/N/REST` means REST from N folders further up. */
function archiveOf(location: string): string | undefined {
  const match = /^(.*?\.zip)\//.exec(location)
  if (match === null) return undefined
  const real = (match[1] ?? '').replace(/(?:__virtual__|\$\$virtual)\/[^/]+\/(\d{1,2})\//, (_, up: string) => '../'.repeat(Number(up)))
  return normalisePath(real)
}
