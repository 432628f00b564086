import type { Extractor, Fact } from '../extractor.ts'
import { parseObject } from '../text/json.ts'
import { distributionOf, normaliseName } from './python/metadata.ts'
import { isInstalled } from './python/place.ts'
import { sourceOf } from './python/source.ts'

const metadata = /(?:\.dist-info\/METADATA|\.egg-info(?:\/PKG-INFO)?|\/EGG-INFO\/PKG-INFO|^EGG-INFO\/PKG-INFO)$/
const requested = /(?:^|\/)([^/]+)-[^-/]+\.dist-info\/REQUESTED$/
const directUrl = /\.dist-info\/direct_url\.json$/

/**
 * Installed Python distributions, wherever they lie: wheels (`*.dist-info/METADATA`), setuptools (`*.egg-info/PKG-INFO`),
 * distutils and Debian (`*.egg-info` as a file), eggs (`EGG-INFO/PKG-INFO`); who was asked for by name (`REQUESTED`), and
 * what came from elsewhere than an index (`direct_url.json`).
 * packaging.python.org, "Recording installed projects", "Core metadata" and "Direct URL data"; names by PEP 503.
 */
export const python = {
  name: 'python',
  version: 3,
  maxBytes: 16 * 1024 * 1024,
  wants: (path) =>
    /(?:METADATA|INFO|info|REQUESTED|url\.json)$/.test(path) &&
    (metadata.test(path) || requested.test(path) || directUrl.test(path)) &&
    isInstalled(path),
  *extract({ path, bytes }): Generator<Fact> {
    const asked = requested.exec(path)?.[1]
    if (asked !== undefined) yield { manifest: { kind: 'pypi', direct: [normaliseName(asked)] } }
    else if (directUrl.test(path)) yield* fromElsewhere(bytes)
    else if (bytes.length > 0) {
      const found = distributionOf(bytes)
      yield found === undefined ? { problem: 'no name or no version that can be read' } : { package: found }
    }
  },
} satisfies Extractor

/** Where it can't be read, the distribution is what its metadata says all the same. */
function* fromElsewhere(bytes: Buffer): Generator<Fact> {
  const json = parseObject(bytes)
  const source = json instanceof Error ? undefined : sourceOf(json)
  if (source !== undefined) yield { manifest: { kind: 'pypi', source } }
}
