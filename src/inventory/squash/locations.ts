import type { FoundManifest, FoundOwnership, LayerFacts, OsRelease, Unsupported } from '../../model/layer.ts'
import type { Package } from '../../model/package.ts'
import { parentOf } from '../tar/paths.ts'
import { Continuity } from './continuity.ts'
import { Mask } from './mask.ts'

/** All that one file of one layer said. */
export interface Said {
  location: string
  packages: Package[]
  ownership: FoundOwnership[]
  manifests: FoundManifest[]
  unsupported: Unsupported[]
  release?: OsRelease
}

/** What the files that are still there say, and since when. */
export interface Standing {
  said: Map<string, Said>
  /** By `packageKey`: whichever file says it. */
  packages: Continuity
  /** By `placedKey` and `componentKey`: said by this very file. */
  placed: Continuity
}

export function packageKey({ kind, name, version }: Package): string {
  return `${kind}\n${name}\n${version}`
}

export function placedKey(pack: Package, location: string): string {
  return `${packageKey(pack)}\n${location}`
}

/** The same for a jar or a gem that is only recognised. */
export function componentKey({ kind, path }: Unsupported): string {
  return `component\n${kind}\n\n${path}`
}

/**
 * Lays the layers over each other, looking only at the files that say something.
 * In: layers, lowest first. Out: what stands at the end. The newest writer of a file has its say alone.
 */
export function layOver(layers: readonly LayerFacts[]): Standing {
  const spoken = layers.map(saidBy)
  const interest = withAncestors(spoken)
  const standing: Standing = { said: new Map(), packages: new Continuity(), placed: new Continuity() }
  for (const [index, layer] of layers.entries()) {
    removeHidden(standing, layer, interest)
    for (const said of spoken[index]?.values() ?? []) add(standing, said, index)
    standing.packages.settle()
    standing.placed.settle()
  }
  return standing
}

function removeHidden(standing: Standing, layer: LayerFacts, interest: ReadonlySet<string>): void {
  if (standing.said.size === 0) return
  const mask = new Mask(interest)
  mask.add(layer)
  if (mask.isEmpty) return
  for (const said of standing.said.values()) {
    if (!mask.hides(said.location, false)) continue
    standing.said.delete(said.location)
    for (const pack of said.packages) standing.packages.remove(packageKey(pack))
    for (const key of placedKeys(said)) standing.placed.remove(key)
  }
}

function add(standing: Standing, said: Said, layer: number): void {
  standing.said.set(said.location, said)
  for (const pack of said.packages) standing.packages.add(packageKey(pack), layer)
  for (const key of placedKeys(said)) standing.placed.add(key, layer)
}

function placedKeys({ location, packages, unsupported }: Said): string[] {
  return [...packages.map((pack) => placedKey(pack, location)), ...unsupported.map(componentKey)]
}

function saidBy(layer: LayerFacts): Map<string, Said> {
  const byLocation = new Map<string, Said>()
  const at = (location: string): Said => {
    const known = byLocation.get(location)
    if (known !== undefined) return known
    const said: Said = { location, packages: [], ownership: [], manifests: [], unsupported: [] }
    byLocation.set(location, said)
    return said
  }
  for (const found of layer.packages) at(found.location).packages.push(found.package)
  for (const found of layer.ownership ?? []) at(found.location).ownership.push(found)
  for (const found of layer.manifests ?? []) at(found.location).manifests.push(found)
  for (const found of layer.unsupported) at(found.path).unsupported.push(found)
  for (const found of layer.releases) at(found.location).release = found.release
  return byLocation
}

function withAncestors(spoken: Map<string, Said>[]): Set<string> {
  const paths = new Set<string>([''])
  for (const location of spoken.flatMap((said) => [...said.keys()])) {
    for (let at = location; !paths.has(at); at = parentOf(at)) paths.add(at)
  }
  return paths
}
