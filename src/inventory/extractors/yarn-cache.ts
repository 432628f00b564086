import { contentOf } from '../content/content.ts'
import type { Extractor, Fact, WantedFile } from '../extractor.ts'
import { beginsAsZip, directoryOf } from '../zip/directory.ts'
import type { ZipEntry } from '../zip/directory.ts'
import { unpackWhole } from '../zip/unpack.ts'
import { parseObject } from '../text/json.ts'
import { packageOf } from './npm/manifest.ts'
import { placeOf } from './npm/place.ts'

/** Some hundred thousand entries: the largest package of icons has a tenth of that. */
const mostDirectoryBytes = 32 * 1024 * 1024
const mostManifestBytes = 4 * 1024 * 1024

/**
 * A package as yarn keeps it for Plug'n'Play: a zip with `node_modules/NAME/` in it, which programs are run from. Whether
 * one is in use says `.pnp.cjs` (yarn-pnp.ts); a cache beside an unpacked `node_modules` is only a cache.
 * yarnpkg.com, "Plug'n'Play" and "Cache".
 */
export const yarnCache = {
  name: 'yarn-cache',
  version: 1,
  maxBytes: 1024 * 1024 * 1024,
  spools: true,
  wants: (path) => path.endsWith('.zip') && /(?:^|\/)\.yarn\/(?:berry\/)?cache\/[^/]+\.zip$/.test(path),
  extract: (file) => [factOf(file)],
} satisfies Extractor

function factOf(file: WantedFile): Fact {
  const found = manifestIn(file)
  if (found === undefined) return { problem: 'a package of yarn without a package.json' }
  const json = parseObject(found.bytes)
  if (json instanceof Error) return { problem: `its package.json is no JSON object: ${json.message.slice(0, 100)}` }
  const pack = packageOf(json)
  if (pack === undefined) return { problem: 'its package.json has no name or no version' }
  return 'problem' in pack ? pack : { package: { ...pack, within: found.name } }
}

/** Out: the manifest of the package at the root of the zip. Throws ZipError for damage. */
function manifestIn({ bytes, spooled }: WantedFile): { name: string; bytes: Buffer } | undefined {
  const zip = spooled ?? contentOf(bytes)
  const directory = directoryOf(zip, mostDirectoryBytes)
  if (directory === undefined) throw new Error(beginsAsZip(zip) ? 'a zip that was cut short' : 'no zip')
  const entry = rootManifest(directory.entries)
  return entry && { name: entry.name, bytes: unpackWhole(zip, entry, mostManifestBytes) }
}

/** Bundled packages lie below it. */
function rootManifest(entries: Iterable<ZipEntry>): ZipEntry | undefined {
  for (const entry of entries)
    if (entry.name.startsWith('node_modules/') && entry.name.split('/').length <= 4 && placeOf(entry.name) === 'package') return entry
  return undefined
}
