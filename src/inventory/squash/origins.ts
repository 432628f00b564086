import type { FoundManifest } from '../../model/layer.ts'
import type { PackageKind } from '../../model/package.ts'
import { parentOf } from '../tar/paths.ts'
import { placedKey } from './locations.ts'
import type { Standing } from './locations.ts'
import { Environments } from './origins/environments.ts'
import { Steps } from './origins/node.ts'
import type { Node, Roots } from './origins/node.ts'
import { NodeModules } from './origins/node-modules.ts'
import { spread } from './origins/spread.ts'

/** Of one language package at its place. */
export interface Origin {
  direct?: true
  dev?: true
  /** As in ImagePackage. */
  through?: string[]
  qualifiers?: Record<string, string>
}

/** A large application asks some fifty thousand times, and looks in some three places each time. */
const mostSteps = 1_000_000

/**
 * Through which direct dependency a package came, and whether only development asked for it: told by the graph of what
 * is there, for each kind as its own world finds a name.
 * In: what stands in the image, and its links. Out: by `placedKey`; nothing of what no direct dependency leads to.
 */
export function originsOf(standing: Standing, links: ReadonlyMap<string, string>): Map<string, Origin> {
  const nodes = Map.groupBy(nodesOf(standing), worldOf)
  const manifests = Map.groupBy(
    [...standing.said.values()].flatMap((said) => said.manifests),
    ({ kind }) => kind,
  )
  const origins = new Map<string, Origin>()
  for (const [world, some] of nodes) {
    const told = manifests.get(world === 'plug-n-play' ? 'npm' : world) ?? []
    const roots = connected(world, some, told, links)
    if (roots === undefined) continue
    spread(roots, origins)
    markLocked(some, told, roots, origins)
    markSources(some, told, origins)
  }
  return origins
}

function* nodesOf(standing: Standing): Generator<Node> {
  for (const { location, packages } of standing.said.values())
    for (const pack of packages) yield { key: placedKey(pack, location), pack, location, needs: [], needed: false }
}

/** Yarn's Plug'n'Play finds packages by a map of its own, not by folders. */
type World = PackageKind | 'plug-n-play'

function worldOf({ pack, location }: Node): World {
  return pack.kind === 'npm' && yarnFolder.test(location) ? 'plug-n-play' : pack.kind
}

const yarnFolder = /(?:^|\/)\.yarn\/(?:(?:berry\/)?cache|unplugged)\//

function connected(world: World, nodes: Node[], manifests: FoundManifest[], links: ReadonlyMap<string, string>): Roots | undefined {
  const graph = graphOf(world, nodes, links)
  graph?.connect()
  return graph?.rootsOf(manifests)
}

function graphOf(world: World, nodes: Node[], links: ReadonlyMap<string, string>): NodeModules | Environments | undefined {
  const steps = new Steps(mostSteps)
  switch (world) {
    case 'plug-n-play':
      return new Environments(nodes, yarnProject, steps)
    case 'npm':
      return new NodeModules(nodes, links, steps)
    case 'pypi':
      return new Environments(nodes, sitePackages, steps)
    case 'gem':
      return new Environments(nodes, specifications, steps)
    case 'composer':
      return new Environments(nodes, vendorFolder, steps)
    case 'nuget':
      return new Environments(nodes, (location) => location, steps)
    case 'cran':
      return new Environments(nodes, (location) => parentOf(parentOf(location)), steps)
    case 'hex':
      return new Environments(nodes, libraryFolder, steps)
    case 'conda':
      return new Environments(nodes, parentOf, steps)
    default:
      return undefined
  }
}

/** Of `x.dist-info/METADATA` and `x.egg/EGG-INFO/PKG-INFO` the folder that is searched, of `x.egg-info` and `x.egg` theirs. */
function sitePackages(location: string): string {
  return parentOf(location.replace(/\/(?:EGG-INFO\/)?[^/]+$/, (tail) => (/\.egg(?:-info)?$/.test(tail) ? tail : '')))
}

/** The folder that `.yarn` is in, of a manifest its own. */
function yarnProject(location: string): string {
  const at = location.search(yarnFolder)
  return at < 0 ? parentOf(location) : location.slice(0, at)
}

/** Default gems lie one folder deeper. */
function specifications(location: string): string {
  return parentOf(location).replace(/\/default$/, '')
}

/** Of `lib/NAME-VERSION/ebin/NAME.app`, and of `deps/NAME/hex_metadata.config`, the folder of all applications; archives lie in it. */
function libraryFolder(location: string): string {
  const folder = parentOf(location)
  if (location.endsWith('.ez')) return folder
  return parentOf(location.endsWith('.app') ? parentOf(folder) : folder)
}

/** `vendor/composer/installed.json` and the application's own `composer.json` meet at the application. */
function vendorFolder(location: string): string {
  return location.endsWith('/installed.json') ? parentOf(parentOf(parentOf(location))) : parentOf(location)
}

/** What npm's own lock says counts where no manifest of the application speaks of the package. */
function markLocked(nodes: readonly Node[], manifests: readonly FoundManifest[], roots: Roots, origins: Map<string, Origin>): void {
  const folders = new Set(manifests.flatMap(({ devFolders }) => devFolders ?? []))
  for (const { key, pack, location } of nodes) {
    if (pack.dev !== true && !(folders.size > 0 && folders.has(parentOf(location)))) continue
    const origin = origins.get(key)
    if (roots.directDev.size > 0 && origin !== undefined && pack.dev !== true) continue
    origins.set(key, { ...origin, dev: true })
  }
}

/** `x.dist-info/direct_url.json` speaks of `x.dist-info/METADATA`. */
function markSources(nodes: readonly Node[], manifests: readonly FoundManifest[], origins: Map<string, Origin>): void {
  const sources = new Map(
    manifests.flatMap(({ location, source }) => (source === undefined ? [] : [[parentOf(location), source] as const])),
  )
  if (sources.size === 0) return
  for (const { key, location } of nodes) {
    const qualifiers = sources.get(parentOf(location))
    if (qualifiers !== undefined) origins.set(key, { ...origins.get(key), qualifiers })
  }
}
