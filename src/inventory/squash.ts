import type { ImageInventory } from '../model/inventory.ts'
import type { LayerFacts, OsRelease, Unsupported } from '../model/layer.ts'
import type { ImagePackage, Package } from '../model/package.ts'
import { isForeign } from '../model/builders.ts'
import { shortDigest } from '../model/digest.ts'
import { placeOf } from './place.ts'
import { purlOf } from './purl.ts'
import { detours } from './squash/detours.ts'
import { Licences } from './squash/licences.ts'
import { componentKey, layOver, packageKey, placedKey } from './squash/locations.ts'
import type { Standing } from './squash/locations.ts'
import { originsOf } from './squash/origins.ts'
import type { Origin } from './squash/origins.ts'
import { isLanguage, ownersOf } from './squash/owners.ts'
import { toldTwice } from './squash/same-program.ts'
import { visibleOutlines } from './squash/tree.ts'
import { uncounted } from './squash/uncounted.ts'

/**
 * What an image holds, from what its layers hold; no layer is read again.
 * In: facts of all its layers, lowest first. Out: the inventory. Throws nothing.
 * OCI image-spec, layer.md, "Applying Changesets"; a file in the place of a folder takes the subtree away, and so does a
 * folder in the place of a file, though no whiteout says so.
 */
export function squash(layers: readonly LayerFacts[]): ImageInventory {
  const { files, links } = surveyFiles(layers)
  const standing = layOver(layers)
  const release = releaseOf(standing)
  const owners = ownersOf(standing, links, release)
  const origins = originsOf(standing, links)
  return {
    ...(release !== undefined && { release }),
    packages: packagesOf(standing, layers, { owners, origins, licences: new Licences(standing, links), release }),
    unsupported: unsupportedOf(standing, layers, owners),
    problems: [...layers.flatMap(problemsOf), ...detours(layers, standing, links)],
    files,
  }
}

function problemsOf({ diffId, problems }: LayerFacts): string[] {
  return problems.map((problem) => `layer ${shortDigest(diffId)}: ${problem}`)
}

/** Counts what is visible, and keeps its symbolic links by path. */
function surveyFiles(layers: readonly LayerFacts[]): { files: ImageInventory['files']; links: Map<string, string> } {
  const files = { count: 0, sizeBytes: 0 }
  const links = new Map<string, string>()
  for (const { file } of visibleOutlines(layers)) {
    if (file.type === 'directory') continue
    files.count++
    if (file.type === 'file') files.sizeBytes += file.sizeBytes
    if (file.type === 'symlink') links.set(file.path, file.link ?? '')
  }
  return { files, links }
}

/** A jar or a gem that a distribution package owns is judged with that package. */
function unsupportedOf(standing: Standing, layers: readonly LayerFacts[], owners: ReadonlyMap<string, string>): Unsupported[] {
  return [...standing.said.values()]
    .flatMap(({ unsupported }) => unsupported)
    .filter((found) => found.component !== true || !owners.has(componentKey(found)))
    .map((found) => withLayer(found, layers[standing.placed.layersOf(componentKey(found))[0] ?? 0]))
}

function withLayer(found: Unsupported, layer: LayerFacts | undefined): Unsupported {
  return found.sha1 === undefined || layer === undefined ? found : { ...found, layer: layer.diffId }
}

/**
 * os-release(5): `/etc` before `/usr/lib`; where the first is a link to the second, only the second was read. Without
 * either, the files that came before it: those of one distribution, before those that several have.
 */
function releaseOf(standing: Standing): OsRelease | undefined {
  for (const path of releaseFiles) {
    const release = standing.said.get(path)?.release
    if (release !== undefined) return release
  }
  return undefined
}

const releaseFiles = ['etc/os-release', 'usr/lib/os-release'].concat(
  ['centos', 'fedora', 'oracle', 'almalinux', 'rocky', 'mageia', 'photon', 'mariner', 'azurelinux'].map((id) => `etc/${id}-release`),
  ['etc/redhat-release', 'etc/system-release', 'etc/SuSE-release', 'etc/arch-release', 'etc/openwrt_release', 'etc/lsb-release'],
)

/** What the image as a whole says of its packages, by `placedKey`. */
interface Known {
  owners: ReadonlyMap<string, string>
  origins: ReadonlyMap<string, Origin>
  licences: Licences
  release: OsRelease | undefined
}

/** A well-known program that a distribution package owns is that package, which is listed and judged by the distribution. */
function packagesOf(standing: Standing, layers: readonly LayerFacts[], { owners, origins, licences, release }: Known): ImagePackage[] {
  const packages = new Map<string, ImagePackage>()
  const left = uncounted(standing).union(toldTwice(layers, standing))
  for (const { location, packages: found } of standing.said.values()) {
    for (const pack of found) {
      const key = placedKey(pack, location)
      if (left.has(key)) continue
      const first = broughtBy(standing, pack, key)
      const ownedBy = owners.get(key)
      if (pack.kind === 'program' && ownedBy !== undefined) continue
      packages.set(`${key}\n${pack.architecture ?? ''}\n${pack.within ?? ''}`, {
        ...shown(pack),
        ...licences.of(pack, location),
        ...origins.get(key),
        purl: purlOf({ ...pack, ...origins.get(key) }, release),
        location: placeOf(location, pack.within),
        layer: layers[first ?? 0]?.diffId ?? '',
        ...(ownedBy !== undefined && { ownedBy }),
        ...(isForeign(pack, release) && { foreign: true as const }),
      })
    }
  }
  return [...packages.values()]
}

/** A distribution's package is the same wherever its database lies; of any other each place has a layer of its own. */
function broughtBy({ packages, placed }: Standing, pack: Package, key: string): number | undefined {
  return (isLanguage(pack) ? placed.layersOf(key) : packages.layersOf(packageKey(pack)))[0]
}

/** What others are judged and found by is not shown with each package. */
function shown(pack: Package): Package {
  const { ownedFiles: _, within: __, requires: ___, ...rest } = pack
  return rest
}
