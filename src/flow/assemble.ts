import { squash } from '../inventory/squash.ts'
import { evidenceOf, judgedParts, type Assembled, type EvidenceInput, type LayerOutcome } from './evidence.ts'

export interface LayersInput extends Omit<EvidenceInput, 'config' | 'layers' | 'inventory'> {
  config?: LayerOutcome
  layers: LayerOutcome[]
}

/** From layers to evidence: laid over each other, then as `evidenceOf` says. */
export function assembleEvidence(input: LayersInput): Assembled {
  const layers = judgedParts(input).flatMap((layer) => (layer.state === 'layer' ? [layer.facts] : []))
  return evidenceOf({ ...input, inventory: squash(layers) })
}
