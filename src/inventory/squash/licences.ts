import type { Package } from '../../model/package.ts'
import { spdxOf } from '../licences/licences.ts'
import { baseOf, joinPath, normalisePath, parentOf } from '../tar/paths.ts'
import type { Standing } from './locations.ts'

const documentation = 'usr/share/doc'
const mostHops = 8

/**
 * The licence of each package in SPDX's words: from what its own records state, of a Debian package from the file that is kept
 * for it. What has no such words stays as it was stated.
 * In: what stands in the image, and its symbolic links: a package may share the folder of another.
 */
export class Licences {
  readonly #kept: ReadonlyMap<string, string>
  readonly #links: ReadonlyMap<string, string>
  readonly #said = new Map<string, string>()

  constructor(standing: Standing, links: ReadonlyMap<string, string>) {
    this.#links = links
    this.#kept = new Map(
      [...standing.said.values()].flatMap(({ location, manifests }) =>
        manifests.flatMap(({ licence }) => (licence === undefined ? [] : [[location, licence] as const])),
      ),
    )
  }

  of(pack: Package): { licence?: string } {
    const stated = pack.licence ?? (pack.kind === 'deb' ? this.#kept.get(this.#copyrightOf(pack.name)) : undefined)
    return stated === undefined ? {} : { licence: this.#words(stated) }
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
