import type { Package } from '../../model/package.ts'
import { spdxOf } from '../licences/licences.ts'
import { baseOf, joinPath, normalisePath, parentOf } from '../tar/paths.ts'
import type { Standing } from './locations.ts'

const documentation = 'usr/share/doc'
const mostHops = 8
/** Several licences are called so; the text beside the metadata says which. */
const leavesOpen = /^(?:the )?(?:modified )?bsd(?: licen[cs]e)?$/i

/**
 * The licence of each package in SPDX's words: from what its own records state, of a Debian package from the file that is kept
 * for it. What has no such words stays as it was stated.
 * In: what stands in the image, and its symbolic links: a package may share the folder of another.
 */
export class Licences {
  readonly #kept: ReadonlyMap<string, string>
  /** By the folder of a Python distribution's metadata. */
  readonly #beside: ReadonlyMap<string, string>
  readonly #links: ReadonlyMap<string, string>
  readonly #said = new Map<string, string>()

  constructor(standing: Standing, links: ReadonlyMap<string, string>) {
    this.#links = links
    this.#kept = new Map(
      [...standing.said.values()].flatMap(({ location, manifests }) =>
        manifests.flatMap(({ licence }) => (licence === undefined ? [] : [[location, licence] as const])),
      ),
    )
    this.#beside = new Map(
      [...this.#kept].map(([location, licence]) => [parentOf(location.replace(/\/licenses(?=\/[^/]+$)/, '')), licence]),
    )
  }

  /** In: a package, and the file that it was read from. */
  of(pack: Package, location: string): { licence?: string } {
    const stated = pack.licence ?? (pack.kind === 'deb' ? this.#kept.get(this.#copyrightOf(pack.name)) : undefined)
    const words = stated === undefined ? undefined : this.#words(stated)
    if (pack.kind !== 'pypi' || (words !== undefined && !leavesOpen.test(words))) return words === undefined ? {} : { licence: words }
    const beside = this.#beside.get(parentOf(location)) ?? words
    return beside === undefined ? {} : { licence: beside }
  }

  #words(stated: string): string {
    const known = this.#said.get(stated)
    if (known !== undefined) return known
    const words = spdxOf(stated) ?? stated
    this.#said.set(stated, words)
    return words
  }

  /** Where it stands: the folder may be a link to that of another package, and so may the file. */
  #copyrightOf(name: string): string {
    let path = `${documentation}/${name}/copyright`
    for (let hops = 0; hops < mostHops; hops++) {
      const folder = this.#targetOf(parentOf(path))
      const next = this.#targetOf(path) ?? (folder === undefined ? undefined : joinPath(folder, baseOf(path)))
      if (next === undefined) return path
      path = next
    }
    return path
  }

  #targetOf(link: string): string | undefined {
    const target = this.#links.get(link)
    return target && normalisePath(target.startsWith('/') ? target : joinPath(parentOf(link), target))
  }
}
