import type { LayerFacts, LayerFile } from '../../model/layer.ts'
import { Mask } from './mask.ts'

/**
 * The files that a container sees, from the newest layer down.
 * In: layers, lowest first. Out: each visible entry with the index of its layer.
 */
export function* visibleFiles(layers: readonly LayerFacts[]): Generator<{ file: LayerFile; layer: number }> {
  const above = new Mask()
  for (const [layer, facts] of [...layers.entries()].reverse()) {
    for (const file of facts.files) if (!above.hides(file.path, file.type === 'directory')) yield { file, layer }
    above.add(facts)
  }
}
