import { messageOf } from '../../kit/errors.ts'
import type { Package } from '../../model/package.ts'
import type { Extractor, Fact } from '../extractor.ts'
import { isIdentity, shortText } from '../text/identity.ts'
import { own, ownText, parseObject, textsOf } from '../text/json.ts'
import type { JsonObject } from '../text/json.ts'
import { joinPath, normalisePath, parentOf } from '../tar/paths.ts'

/** conda takes for a record what has two dashes in its name: `NAME-VERSION-BUILD.json`. */
const record = /(?:^|\/)conda-meta\/[^/]+-[^-/]+-[^-/]+\.json$/
const pythonMetadata = /\.(?:dist-info\/METADATA|egg-info(?:\/PKG-INFO)?)$/
const maxFiles = 1_000_000
const maxNames = 1000

/**
 * Packages of a conda environment, the base one too, wherever it lies: `conda-meta/NAME-VERSION-BUILD.json`. Of the files that
 * it owns only the metadata of Python packages are kept: those are found, named and judged by themselves.
 * docs.conda.io, "conda-meta"; conda, `PrefixRecord`.
 */
export const conda = {
  name: 'conda',
  version: 1,
  maxBytes: 64 * 1024 * 1024,
  wants: (path) => path.endsWith('.json') && record.test(path),
  *extract({ path, bytes }): Generator<Fact> {
    const json = parseObject(bytes)
    if (json instanceof Error) {
      yield { problem: `not a JSON object: ${messageOf(json).slice(0, 100)}` }
      return
    }
    const found = packageOf(json, parentOf(parentOf(path)))
    yield found === undefined ? { problem: 'no name or no version that can be read' } : { package: found }
  },
} satisfies Extractor

function packageOf(json: JsonObject, prefix: string): Package | undefined {
  const name = own(json, 'name')
  const version = own(json, 'version')
  if (!isIdentity(name) || !isIdentity(version)) return undefined
  const licence = shortText(ownText(json, 'license'))
  const ownedFiles = textsOf(own(json, 'files'), maxFiles)
    .filter((file) => pythonMetadata.test(file) && file.length <= 4096)
    .map((file) => joinPath(prefix, normalisePath(file)))
  const requires = [...new Set(textsOf(own(json, 'depends'), maxNames).flatMap((spec) => /^[A-Za-z0-9_.-]{1,256}/.exec(spec)?.[0] ?? []))]
  const qualifiers = qualifiersOf(json)
  return {
    kind: 'conda',
    name,
    version,
    ...(licence !== undefined && { licence }),
    ...(ownedFiles.length > 0 && { ownedFiles }),
    ...(requires.length > 0 && { requires }),
    ...(isRequested(json) && { direct: true as const }),
    ...(Object.keys(qualifiers).length > 0 && { qualifiers }),
  }
}

/** purl-spec, PURL-TYPES, conda: build, channel, subdir, type. */
function qualifiersOf(json: JsonObject): Record<string, string> {
  const subdir = own(json, 'subdir')
  const qualifiers = {
    build: ownText(json, 'build') ?? ownText(json, 'build_string'),
    channel: channelOf(ownText(json, 'channel')),
    subdir,
    type: /\.(conda|tar\.bz2)$/.exec(ownText(json, 'fn') ?? '')?.[1],
  }
  return Object.fromEntries(
    Object.entries(qualifiers).filter((pair): pair is [string, string] => isIdentity(pair[1]) && pair[1].length <= 256),
  )
}

/** `https://HOST/pkgs/main/linux-64` → `main`. Parts of a URL may hold credentials: only the name is kept. */
function channelOf(text: string | undefined): string | undefined {
  const parts = (text ?? '').split('/').filter((part) => part !== '' && !/^(?:noarch|(?:linux|osx|win|emscripten|wasi)-.*)$/.test(part))
  return /^[\w.-]{1,128}$/.exec(parts.at(-1) ?? '')?.[0]
}

/** What a person asked for: one text, since conda 4.4, and lists of later forms. */
function isRequested(json: JsonObject): boolean {
  const one = ownText(json, 'requested_spec') ?? ''
  return (one !== '' && one !== 'None') || textsOf(own(json, 'requested_specs'), 1).length > 0
}
