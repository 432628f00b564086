import { isPretended } from '../../text/pretended.ts'

/** A package that conda keeps unpacked to link it from: `pkgs/NAME-VERSION-BUILD/`. It is no environment. */
const condaCache = /(?:^|\/)pkgs\/[^/]+-[^-/]+-[^-/]+\/(?:lib\/python[^/]+\/)?site-packages\//
const folder = /(?:^|\/)(?:site|dist)-packages\//

/**
 * In: the path of a distribution's metadata. Out: whether it can be one that programs import: not in the tests of another,
 * and not in a cache.
 */
export function isInstalled(path: string): boolean {
  const found = folder.exec(path)
  if (found === null) return true
  if (condaCache.test(path)) return false
  const inside = path.slice(found.index + found[0].length)
  return !isPretended(inside.split('/').slice(0, -2))
}
