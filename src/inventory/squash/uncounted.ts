import type { Package } from '../../model/package.ts'
import { placedKey } from './locations.ts'
import type { Said, Standing } from './locations.ts'

/**
 * Packages that a file names and that are none besides the others: an archive in a cache of yarn that no Plug'n'Play map
 * uses, and conda's entry for a Python package, which stands there by its own name and is judged by it.
 * In: what stands in the image. Out: their `placedKey`s.
 */
export function uncounted(standing: Standing): Set<string> {
  const used = archivesInUse(standing)
  const keys = new Set<string>()
  for (const said of standing.said.values())
    for (const pack of said.packages)
      if (isUnusedArchive(said, pack, used) || isPythonOfConda(pack, standing)) keys.add(placedKey(pack, said.location))
  return keys
}

function archivesInUse(standing: Standing): Set<string> {
  return new Set([...standing.said.values()].flatMap(({ manifests }) => manifests.flatMap(({ archives }) => archives ?? [])))
}

function isUnusedArchive({ location }: Said, { kind }: Package, used: ReadonlySet<string>): boolean {
  return kind === 'npm' && location.endsWith('.zip') && !used.has(location)
}

/** It brought that metadata, of the same version; the names may differ: `pytorch` brings `torch`. */
function isPythonOfConda({ kind, version, ownedFiles = [] }: Package, standing: Standing): boolean {
  if (kind !== 'conda') return false
  return ownedFiles.some((path) =>
    standing.said.get(path)?.packages.some((brought) => brought.kind === 'pypi' && brought.version === version),
  )
}
