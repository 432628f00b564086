import { subjectOf } from '../../match/subjects.ts'
import type { Finding } from '../../model/advisory.ts'
import { wasInBase, type BaseImage, type InBase } from '../../model/base.ts'
import type { Evidence } from '../../model/verdict.ts'

/** The base of an image, and which of its findings the base already had. */
export interface KnownBase {
  image: BaseImage
  inBase: (finding: Finding) => InBase
}

/** In: what is known of an image, and the layers (diffIDs) of its base; undefined where that is unknown. Out: how to ask of a finding. */
export function inBaseBy(evidence: Evidence, baseLayers: ReadonlySet<string> | undefined): KnownBase['inBase'] {
  const layers = new Map<string, string[]>()
  if (baseLayers !== undefined)
    for (const pack of evidence.packages) {
      const subject = subjectOf(pack, evidence.ecosystem)
      if (subject === undefined) continue
      const key = `${subject.ecosystem}\n${subject.name}\n${subject.version}`
      const known = layers.get(key)
      if (known === undefined) layers.set(key, [pack.layer])
      else known.push(pack.layer)
    }
  return ({ ecosystem, packageName, packageVersion }) =>
    wasInBase(layers.get(`${ecosystem}\n${packageName}\n${packageVersion}`) ?? [], baseLayers)
}

/** Whether there is anything to say of it: documents name a base that is known, or claimed. */
export function isTold({ known, claim }: BaseImage): boolean {
  return known !== 'unknown' || claim !== undefined
}

/** DiffIDs of the layers that are the base's; undefined where it is unknown. */
export function baseLayersOf({ layers: count }: BaseImage, layers: readonly { diffId?: string }[]): ReadonlySet<string> | undefined {
  return count === undefined ? undefined : new Set(layers.slice(0, count).flatMap(({ diffId }) => diffId ?? []))
}
