import type { Extractor, Fact } from '../extractor.ts'
import { isObject, own, parseObject } from '../text/json.ts'
import { joinPath, normalisePath, parentOf } from '../tar/paths.ts'

const hidden = 'node_modules/.package-lock.json'
const maxFolders = 200_000

/**
 * What npm itself notes of the tree that it laid: which folders only development asked for. It is a hint: the packages
 * are those that lie there, and a lock that can't be read takes none away.
 * docs.npmjs.com, "package-lock.json", "Hidden Lockfiles".
 */
export const npmLock = {
  name: 'npm-lock',
  version: 1,
  maxBytes: 64 * 1024 * 1024,
  wants: (path) => path.endsWith(hidden) && (path.length === hidden.length || path.at(-hidden.length - 1) === '/'),
  *extract(file): Generator<Fact> {
    const json = parseObject(file.bytes)
    if (json instanceof Error) return
    const packages = own(json, 'packages')
    if (!isObject(packages)) return
    const root = parentOf(parentOf(file.path))
    const devFolders = developmentOnly(packages).map((folder) => joinPath(root, normalisePath(folder)))
    if (devFolders.length > 0) yield { manifest: { kind: 'npm', devFolders } }
  },
} satisfies Extractor

function developmentOnly(packages: Record<string, unknown>): string[] {
  return Object.entries(packages)
    .filter(([folder, entry]) => folder.length <= 4096 && isObject(entry) && own(entry, 'dev') === true)
    .map(([folder]) => folder)
    .slice(0, maxFolders)
}
