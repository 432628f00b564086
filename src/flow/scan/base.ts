import { LazaretError } from '../../kit/errors.ts'
import type { BaseImage } from '../../model/base.ts'
import type { Digest } from '../../model/digest.ts'
import { statedDiffIds } from './layers.ts'
import { openSource, type SourceOptions } from './source.ts'

/** An image that somebody calls the base of another. */
export interface NamedBase {
  name: string
  digest?: Digest
  /** Of its layers, the lowest first, as its config has them: what runs is held to them by every runtime. */
  diffIds: string[]
}

/**
 * In: a reference, an archive or a layout. Out: what its layers are; none of them is read. Errors: USAGE where it is no image with
 * layers, UNREADABLE where it contradicts itself, and those of opening it.
 */
export async function readBase(target: string, options: SourceOptions): Promise<NamedBase> {
  if (target === '-') throw new LazaretError('USAGE', '--base is a reference, an archive or a layout, not standard input')
  const source = await openSource(target, { ...options, attachedSbom: false })
  try {
    const diffIds = statedDiffIds(source.configBytes)
    if (diffIds.length === 0) throw new LazaretError('USAGE', `--base ${target} is no image with layers: its config names none`)
    if (diffIds.length !== source.layers.length)
      throw new LazaretError('UNREADABLE', `${target} has ${source.layers.length} layers, and its config names ${diffIds.length}`)
    return { name: target, ...(source.digest !== undefined && { digest: source.digest }), diffIds }
  } finally {
    await source.close()
  }
}

/** In: what was called the base, and the diffIDs of the image's own layers as they were read. Out: whether it is. */
export function provenBase({ name, digest, diffIds }: NamedBase, own: readonly (string | undefined)[]): BaseImage {
  const other = diffIds.findIndex((diffId, at) => diffId !== own[at])
  if (other >= own.length) return { known: 'unknown', why: `${name} has more layers than it` }
  if (other >= 0) {
    const why = own[other] === undefined ? 'could not be read' : `is not that of ${name}`
    return { known: 'unknown', why: `its layer ${other + 1} ${why}` }
  }
  if (diffIds.length === own.length) return { known: 'unknown', why: `it has the very same layers as ${name}` }
  return { known: 'declared', layers: diffIds.length, ...(digest !== undefined && { digest }), names: [name] }
}
