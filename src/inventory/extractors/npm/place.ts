import { isPretended } from '../../text/pretended.ts'

/**
 * What a package.json is by where it lies: the root of an installed package, or the manifest of what is no package here
 * (an application, a workspace). Undefined: a file inside a package.
 */
export type Place = 'package' | 'application'

const ending = '/package.json'

/**
 * In: a normal path. Out: what it is. `node_modules` holds packages, scopes, and folders with a dot before their name:
 * in those, package managers keep a folder a version, and the package in a `node_modules` of its own (pnpm, bun, deno,
 * npm's linked strategy) or in `package` (yarn's pnpm linker). A package may hold packages again.
 * docs.npmjs.com, "folders"; pnpm.io, "Symlinked node_modules structure".
 */
export function placeOf(path: string): Place | undefined {
  if (path === 'package.json') return 'application'
  if (!path.endsWith(ending)) return undefined
  const parts = path.split('/')
  let at = parts.indexOf('node_modules')
  if (at < 0) return 'application'
  for (;;) {
    const root = packageRootAfter(parts, at)
    if (root === undefined) return undefined
    if (root === parts.length - 1) return 'package'
    at = parts.indexOf('node_modules', root)
    if (at < 0 || isPretended(parts.slice(root, at))) return undefined
  }
}

/** In: parts of a path, and where a `node_modules` stands. Out: where what is inside the package begins. */
function packageRootAfter(parts: readonly string[], at: number): number | undefined {
  const first = parts[at + 1] ?? ''
  if (first.startsWith('.')) return storedRootAfter(parts, at, first)
  const name = first.startsWith('@') ? at + 2 : at + 1
  const text = parts[name]
  return text === undefined || text.startsWith('.') || text.startsWith('@') || name >= parts.length - 1 ? undefined : name + 1
}

/** `.pnpm/VERSION/node_modules/NAME`, `.store/VERSION/package`. */
function storedRootAfter(parts: readonly string[], at: number, store: string): number | undefined {
  if (parts[at + 3] === 'node_modules') return packageRootAfter(parts, at + 3)
  return store === '.store' && parts[at + 3] === 'package' ? at + 4 : undefined
}
