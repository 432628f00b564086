import type { FoundManifest } from '../../../model/layer.ts'
import { followLinks } from '../../tar/links.ts'
import { baseOf, joinPath, parentOf } from '../../tar/paths.ts'
import { link } from './node.ts'
import type { Node, Roots, Steps } from './node.ts'

/**
 * Links npm packages as Node.js finds them: from the folder of who asks upwards, in each `node_modules` on the way, with
 * symbolic links followed, as pnpm lays them. nodejs.org, "Modules", "Loading from node_modules folders".
 */
export class NodeModules {
  readonly #byFolder = new Map<string, Node>()
  readonly #links: ReadonlyMap<string, string>
  readonly #steps: Steps

  constructor(nodes: readonly Node[], links: ReadonlyMap<string, string>, steps: Steps) {
    for (const node of nodes) this.#byFolder.set(parentOf(node.location), node)
    this.#links = links
    this.#steps = steps
  }

  connect(): void {
    for (const [folder, node] of this.#byFolder) for (const name of node.pack.requires ?? []) link(node, this.#find(folder, name))
  }

  /** In: manifests of applications. Out: what they ask for. A tree that no manifest speaks of has for direct what nobody in it needs. */
  rootsOf(manifests: readonly FoundManifest[]): Roots {
    const roots: Roots = { direct: new Set(), directDev: new Set() }
    const told = new Set<string>()
    for (const { location, direct, directDev } of manifests) {
      const folder = parentOf(location)
      for (const node of this.#findAll(folder, direct)) roots.direct.add(node)
      for (const node of this.#findAll(folder, directDev)) roots.directDev.add(node)
    }
    for (const node of [...roots.direct, ...roots.directDev]) told.add(treeOf(node))
    for (const node of this.#byFolder.values()) if (!node.needed && !told.has(treeOf(node))) roots.direct.add(node)
    return roots
  }

  *#findAll(folder: string, names: readonly string[] = []): Generator<Node> {
    for (const name of names) {
      const node = this.#find(folder, name)
      if (node !== undefined) yield node
    }
  }

  #find(from: string, name: string): Node | undefined {
    for (let folder = from; ; folder = parentOf(folder)) {
      if (baseOf(folder) !== 'node_modules') {
        if (!this.#steps.take()) return undefined
        const modules = joinPath(folder, 'node_modules')
        const node = this.#byFolder.get(joinPath(modules, name)) ?? this.#linked(modules, name)
        if (node !== undefined) return node
      }
      if (folder === '') return undefined
    }
  }

  #linked(modules: string, name: string): Node | undefined {
    const path = joinPath(modules, name)
    if (!this.#links.has(path) && !this.#links.has(modules) && !this.#links.has(parentOf(path))) return undefined
    try {
      return this.#byFolder.get(followLinks(path, (at) => this.#links.get(at)))
    } catch (error) {
      // Links in circles lead Node.js nowhere either.
      if (error instanceof RangeError) return undefined
      throw error
    }
  }
}

/** The folder above the first `node_modules`. */
function treeOf({ location }: Node): string {
  const parts = location.split('/')
  return parts.slice(0, parts.indexOf('node_modules')).join('/')
}
