import type { OpenAdvisories } from '../advisories/database.ts'
import { placeOf } from '../inventory/place.ts'
import { purlOf } from '../inventory/purl.ts'
import type { ImageInventory } from '../model/inventory.ts'
import type { Unsupported } from '../model/layer.ts'
import type { ImagePackage } from '../model/package.ts'
import type { DoubtNote } from '../model/verdict.ts'

/**
 * Jars that say nothing of themselves, and whose bytes a data set knows by their hash, are packages; by each name where they
 * were published under several. It is asked here and not when the layer is read, so that a newer set speaks of old images.
 */
export function withKnownArtifacts(inventory: ImageInventory, advisories: Pick<OpenAdvisories, 'artifactsBy'>): ImageInventory {
  const named: ImagePackage[] = []
  const unsupported: Unsupported[] = []
  const there = new Set(inventory.packages.map(placed))
  for (const found of inventory.unsupported) {
    const packages = packagesOf(found, advisories)
    if (packages.length === 0) unsupported.push(found)
    named.push(...packages.filter((pack) => !there.has(placed(pack))))
  }
  return unsupported.length === inventory.unsupported.length
    ? inventory
    : { ...inventory, packages: [...inventory.packages, ...named], unsupported }
}

/** A renamed jar may be known by a word in it and by its hash: that is one package. */
function placed({ purl, location }: ImagePackage): string {
  return `${purl} ${location}`
}

function packagesOf({ path, within, sha1, layer }: Unsupported, advisories: Pick<OpenAdvisories, 'artifactsBy'>): ImagePackage[] {
  if (sha1 === undefined || layer === undefined) return []
  return advisories.artifactsBy(sha1).map(({ name, version }) => {
    const pack = { kind: 'maven' as const, name, version }
    return { ...pack, purl: purlOf(pack), location: placeOf(path, within), layer }
  })
}

/** Unknown components that are told one by one; an image may hold thousands. */
const mostNamed = 100

/** In: components that are named. Out: a note for each place, and one for those beyond the most that are told. */
export function unknownComponents(parts: readonly Unsupported[]): DoubtNote[] {
  const details = [
    ...new Set(parts.map(({ kind, name, path, within }) => `${name ?? kind} (/${placeOf(path, within)}), whose package is not known`)),
  ]
  const more = details.length - mostNamed
  return [...details.slice(0, mostNamed), ...(more > 0 ? [`${more} more components whose packages are not known`] : [])].map((detail) => ({
    doubt: 'unsupported-component',
    detail,
  }))
}
