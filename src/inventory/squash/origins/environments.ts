import type { FoundManifest } from '../../../model/layer.ts'
import { link } from './node.ts'
import type { Node, Roots, Steps } from './node.ts'

/**
 * Links packages that are found by name in one place: a `site-packages`, a `specifications`, an `installed.json`. A name
 * that stands there in several versions leads to none of them: which one is meant is not known here.
 */
export class Environments {
  readonly #byPlace: Map<string, Node[]>
  readonly #placeOf: (location: string) => string
  readonly #steps: Steps

  constructor(nodes: readonly Node[], placeOf: (location: string) => string, steps: Steps) {
    this.#byPlace = Map.groupBy(nodes, ({ location }) => placeOf(location))
    this.#placeOf = placeOf
    this.#steps = steps
  }

  connect(): void {
    for (const nodes of this.#byPlace.values()) {
      const byName = namesOf(nodes)
      for (const node of nodes)
        for (const name of node.pack.requires ?? []) {
          if (!this.#steps.take()) return
          for (const other of byName.get(name) ?? []) link(node, other)
        }
    }
  }

  /** As records and manifests say. A place of which none of them speaks has for direct what nobody in it needs. */
  rootsOf(manifests: readonly FoundManifest[]): Roots {
    const roots: Roots = { direct: new Set(), directDev: new Set() }
    const asked = Map.groupBy(manifests, ({ location }) => this.#placeOf(location))
    for (const [place, nodes] of this.#byPlace) {
      const byName = namesOf(nodes)
      const told = asked.get(place) ?? []
      const direct = [...nodes.filter(({ pack }) => pack.direct), ...told.flatMap(({ direct }) => found(byName, direct))]
      const directDev = told.flatMap(({ directDev }) => found(byName, directDev))
      const nobodys = direct.length + directDev.length > 0 ? [] : nodes.filter(({ needed }) => !needed)
      for (const node of [...direct, ...nobodys]) roots.direct.add(node)
      for (const node of directDev) roots.directDev.add(node)
    }
    return roots
  }
}

function found(byName: ReadonlyMap<string, Node[]>, names: readonly string[] = []): Node[] {
  return names.flatMap((name) => byName.get(name) ?? [])
}

/** Several places of one version mean the same; several versions mean that nobody can tell. */
function namesOf(nodes: readonly Node[]): Map<string, Node[]> {
  const byName = Map.groupBy(nodes, ({ pack }) => pack.name)
  for (const [name, same] of byName) if (same.some(({ pack }) => pack.version !== same[0]?.pack.version)) byName.delete(name)
  return byName
}
