import type { LayerFacts, LayerFile, LayerFiles, LayerOutline } from '../../model/layer.ts'
import { outlinesOf } from '../files/table.ts'
import { Mask } from './mask.ts'

/**
 * The files that a container sees, from the newest layer down.
 * In: layers, lowest first. Out: each visible entry with the index of its layer.
 */
export function visibleFiles(layers: readonly LayerFacts[]): Generator<{ file: LayerFile; layer: number }> {
  return visible(layers, (files) => files)
}

/** The same without hashes, modes and owners, which cost more to spell out than all the rest. */
export function visibleOutlines(layers: readonly LayerFacts[]): Generator<{ file: LayerOutline; layer: number }> {
  return visible(layers, outlinesOf)
}

function* visible<T extends LayerOutline>(
  layers: readonly LayerFacts[],
  entriesOf: (files: LayerFiles) => Iterable<T>,
): Generator<{ file: T; layer: number }> {
  const above = new Mask()
  for (const [layer, facts] of [...layers.entries()].reverse()) {
    const hides = ({ path, type }: T) => !above.isEmpty && above.hides(path, type === 'directory')
    for (const file of entriesOf(facts.files)) if (!hides(file)) yield { file, layer }
    if (layer > 0) above.add(facts) // below the lowest there is nothing to hide
  }
}
