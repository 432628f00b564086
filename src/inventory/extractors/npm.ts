import { messageOf } from '../../kit/errors.ts'
import type { Extractor, Fact, WantedFile } from '../extractor.ts'
import { parseObject } from '../text/json.ts'
import { namesIn, packageOf } from './npm/manifest.ts'
import { placeOf } from './npm/place.ts'

/**
 * Packages as npm, yarn, pnpm, bun and deno unpack them, and what the applications beside them ask for. A package.json
 * without a name or a version is no package, and one inside a package is a file of it (see npm/place.ts).
 */
export const npm = {
  name: 'npm',
  version: 2,
  maxBytes: 16 * 1024 * 1024,
  wants: (path) => path.endsWith('package.json') && placeOf(path) !== undefined,
  extract: (file) => (placeOf(file.path) === 'package' ? installed(file) : application(file)),
} satisfies Extractor

function* installed(file: WantedFile): Generator<Fact> {
  const json = parseObject(file.bytes)
  if (json instanceof Error) {
    yield { problem: `not a JSON object: ${messageOf(json).slice(0, 100)}` }
    return
  }
  const found = packageOf(json)
  if (found === undefined) return
  yield 'problem' in found ? found : { package: found }
}

/** Anyone may call a file so: one that is no JSON is no manifest, and says nothing of what is installed. */
function* application(file: WantedFile): Generator<Fact> {
  const json = parseObject(file.bytes)
  if (json instanceof Error) return
  const direct = namesIn(json, 'dependencies', 'optionalDependencies', 'peerDependencies')
  const directDev = namesIn(json, 'devDependencies')
  if (direct.length + directDev.length > 0) yield { manifest: { kind: 'npm', direct, directDev } }
}
