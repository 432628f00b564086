import { isForeign } from '../../model/builders.ts'
import type { FoundOwnership, OsRelease } from '../../model/layer.ts'
import type { Package } from '../../model/package.ts'
import { joinPath, normalisePath } from '../tar/paths.ts'
import { componentKey, packageKey, placedKey } from './locations.ts'
import type { Standing } from './locations.ts'

/** Lists that lie beside the file that speaks of their package. */
function fileBeside(list: string): string | undefined {
  if (list.startsWith('var/lib/pacman/local/')) return list.replace(/\/files$/, '/desc')
  return /^(var\/lib\/dpkg\/status\.d\/.+)\.md5sums$/.exec(list)?.[1]
}

/**
 * Which distribution package owns the files that language packages were read from, or components were seen at. It does where it lists the path, is
 * installed, and the file was written in the layer that brought this version of the owner, saying what it says now: a
 * file that something else replaced later (`npm install -g npm`) is nobody's. What another than the distribution built owns
 * nothing here: no advisories of the distribution speak of it.
 * In: what stands in the image, its links, and its release. Out: `placedKey` or `componentKey` → name of the owner.
 */
export function ownersOf(standing: Standing, links: ReadonlyMap<string, string>, release: OsRelease | undefined): Map<string, string> {
  const wanted = languageFiles(standing, rootLinks(links))
  const owners = new Map<string, string>()
  if (wanted.size === 0) return owners
  for (const { owner, paths } of claims(standing)) {
    if (isForeign(owner, release)) continue
    const arrived = standing.packages.layersOf(packageKey(owner))[0]
    for (const path of paths) {
      for (const key of wanted.get(path) ?? []) {
        if (arrived !== undefined && standing.placed.layersOf(key).includes(arrived)) owners.set(key, owner.name)
      }
    }
  }
  return owners
}

/** Path as a package may list it → keys of the language packages and components that were found there. */
function languageFiles(standing: Standing, links: [string, string][]): Map<string, string[]> {
  const wanted = new Map<string, string[]>()
  for (const { location, packages, unsupported } of standing.said.values()) {
    const keys = packages.filter(isLanguage).map((pack) => placedKey(pack, location))
    for (const found of unsupported) if (found.component === true) keys.push(componentKey(found))
    if (keys.length > 0) for (const path of spellings(location, links)) wanted.set(path, [...(wanted.get(path) ?? []), ...keys])
  }
  return wanted
}

/** `usr/lib/x` may be listed as `lib/x` where `lib` is a link to `usr/lib`. */
function spellings(location: string, links: [string, string][]): string[] {
  const others = links
    .filter(([, target]) => location.startsWith(`${target}/`))
    .map(([link, target]) => joinPath(link, location.slice(target.length + 1)))
  return [location, ...others]
}

/** `lib` → `usr/lib`, where `/usr` was merged. */
function rootLinks(links: ReadonlyMap<string, string>): [string, string][] {
  return [...links].filter(([path]) => !path.includes('/')).map(([path, target]) => [path, normalisePath(target)])
}

/** Files that packages of distributions own. What conda brought is judged by its language: no advisories here speak of conda's packages. */
function* claims(standing: Standing): Generator<{ owner: Package; paths: readonly string[] }> {
  const named = Map.groupBy(
    [...standing.said.values()].flatMap(({ packages }) => packages).filter(({ kind }) => kind === 'deb' || kind === 'opkg'),
    ({ kind, name }) => `${kind} ${name}`,
  )
  for (const said of standing.said.values()) {
    for (const owner of said.packages)
      if (owner.ownedFiles !== undefined && distributionKinds.has(owner.kind)) yield { owner, paths: owner.ownedFiles }
    for (const list of said.ownership) {
      const owner = ownerOf(list, standing, named)
      if (owner !== undefined) yield { owner, paths: list.paths }
    }
  }
}

/** A list of a package that is not installed any more speaks for nobody. */
function ownerOf(list: FoundOwnership, standing: Standing, named: ReadonlyMap<string, Package[]>): Package | undefined {
  const stanza = fileBeside(list.location)
  const beside = stanza === undefined ? undefined : standing.said.get(stanza)?.packages[0]
  if (beside !== undefined) return beside
  const kind = list.location.includes('/opkg/info/') ? 'opkg' : 'deb'
  return named
    .get(`${kind} ${list.packageName}`)
    ?.find(({ architecture }) => list.architecture === undefined || architecture === list.architecture)
}

/** Packages of a distribution: they own files, and no other package owns them. */
const distributionKinds: ReadonlySet<string> = new Set(['deb', 'apk', 'rpm', 'alpm', 'opkg'])

/** Whatever no distribution's database brought. */
export function isLanguage({ kind }: Package): boolean {
  return !distributionKinds.has(kind)
}
