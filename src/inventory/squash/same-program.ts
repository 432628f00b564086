import type { LayerFacts } from '../../model/layer.ts'
import type { Package } from '../../model/package.ts'
import { parentOf } from '../tar/paths.ts'
import { packageKey, placedKey } from './locations.ts'
import type { Said, Standing } from './locations.ts'

const ofBytes: ReadonlySet<string> = new Set(['golang', 'cargo', 'program'])

/**
 * A program that is told twice: by its bytes under each of its names, where they are hard links of one file; and by
 * Bitnami's documents beside it, which know its build.
 * In: layers, and what stands in the image. Out: the `placedKey`s that are left out, so that each program counts once.
 */
export function toldTwice(layers: readonly LayerFacts[], standing: Standing): Set<string> {
  const documents = bitnamiPackages(standing)
  const targets = hardLinks(layers, standing)
  const keys = new Set<string>()
  for (const said of standing.said.values()) {
    const target = standing.said.get(targets.get(said.location) ?? '')
    for (const pack of said.packages) {
      if ((ofBytes.has(pack.kind) && says(target, pack)) || isDocumented(said, pack, documents)) keys.add(placedKey(pack, said.location))
    }
  }
  return keys
}

/** Of locations that a hard link made, in the newest layer that has them: the file's other name. */
function hardLinks(layers: readonly LayerFacts[], standing: Standing): Map<string, string> {
  const targets = new Map<string, string>()
  if (![...standing.said.values()].some(({ packages }) => packages.some(({ kind }) => ofBytes.has(kind)))) return targets
  for (const { files } of layers) {
    for (const { path, type, link } of files) {
      if (type === 'hardlink' && link !== undefined && standing.said.has(path)) targets.set(path, link)
      else if (targets.size > 0) targets.delete(path)
    }
  }
  return targets
}

function says(target: Said | undefined, pack: Package): boolean {
  return target?.packages.some((other) => packageKey(other) === packageKey(pack)) ?? false
}

interface Documented {
  folder: string
  version: string
  key: string
}

function bitnamiPackages(standing: Standing): Documented[] {
  return [...standing.said.values()].flatMap(({ location, packages }) =>
    packages
      .filter(({ kind }) => kind === 'bitnami')
      .map((pack) => ({ folder: parentOf(location), version: pack.version, key: packageKey(pack) })),
  )
}

/** Bitnami's `17.2.0-8` in this folder is the program that says `17.2`; the list of all is outweighed by a document. */
function isDocumented({ location }: Said, pack: Package, documents: readonly Documented[]): boolean {
  if (pack.kind === 'bitnami' && location.endsWith('.json'))
    return documents.some(({ folder, key }) => folder !== parentOf(location) && key === packageKey(pack))
  if (pack.kind !== 'program') return false
  return documents.some(
    ({ folder, version }) =>
      location.startsWith(`${folder}/`) && (version === pack.version || /^[.-]/.test(afterPrefix(version, pack.version))),
  )
}

function afterPrefix(text: string, prefix: string): string {
  return text.startsWith(prefix) ? text.slice(prefix.length) : ''
}
