import { messageOf } from '../../kit/errors.ts'
import type { Package } from '../../model/package.ts'
import type { Extractor, Fact } from '../extractor.ts'
import { isIdentity } from '../text/identity.ts'
import { isObject, own, ownText, parseObject } from '../text/json.ts'
import { SnapshotProbe } from './dart/snapshot.ts'
import { lockedPackages } from './dart/lock.ts'

const lock = /(?:^|\/)pubspec\.lock$/
const config = /(?:^|\/)\.dart_tool\/package_config\.json$/
/** Packages come with locks of their own, which nobody reads; the tools of an SDK are its own. */
const notOurs = /(?:^|\/)(?:\.pub-cache|pub-cache|\.pub|bin\/cache)\//
/** `…/hosted/pub.dev/args-2.4.2`; before 2022 `pub.dartlang.org`. */
const hosted = /\/hosted\/([^/]+)\/([A-Za-z_]\w*)-(\d[^/]*)\/?$/
const maxPackages = 100_000

/**
 * Packages of a Dart program: those that its machine loads (`.dart_tool/package_config.json`), and those that were locked for it
 * (`pubspec.lock`), which is all that goes along with one that was compiled. Programs compiled ahead of time hold no list: they are
 * named. What an SDK brings has no version of its own (0.0.0), and is no package.
 * dart.dev, "The pubspec file", "Package layout"; github.com/dart-lang/language, "package-config-file-v2.md".
 */
export const dart = {
  name: 'dart',
  version: 1,
  maxBytes: 16 * 1024 * 1024,
  wants: (path) =>
    ((path.endsWith('pubspec.lock') && lock.test(path)) || (path.endsWith('/package_config.json') && config.test(path))) &&
    !notOurs.test(path),
  extract: ({ path, bytes }) => (lock.test(path) ? lockedPackages(bytes, maxPackages) : loadedPackages(bytes)),
  probe: (head) => SnapshotProbe.for(head),
} satisfies Extractor

function* loadedPackages(bytes: Buffer): Generator<Fact> {
  const json = parseObject(bytes)
  if (json instanceof Error) {
    yield { problem: `not a JSON object: ${messageOf(json).slice(0, 100)}` }
    return
  }
  const packages = own(json, 'packages')
  if (!Array.isArray(packages)) return
  if (packages.length > maxPackages) throw new Error(`lists ${packages.length} packages, more than the ${maxPackages} that are read`)
  for (const entry of packages) {
    const found = isObject(entry) ? packageAt(ownText(entry, 'name'), ownText(entry, 'rootUri')) : undefined
    if (found !== undefined) yield { package: found }
  }
}

/** The folder in the cache has the version; what lies elsewhere is the program's own, or the SDK's. */
function packageAt(name: string | undefined, rootUri: string | undefined): Package | undefined {
  const [, , folder, version] = hosted.exec((rootUri ?? '').replaceAll(/%2[bB]/g, '+')) ?? []
  return isIdentity(name) && name === folder && isIdentity(version) ? { kind: 'pub', name, version } : undefined
}
