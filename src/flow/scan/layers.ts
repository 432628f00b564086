import type { Digest } from '../../model/digest.ts'

/** A layer of the image that was scanned, as people speak of it. */
export interface ScannedLayer {
  /** From 1, the lowest first. */
  number: number
  /** Of the uncompressed tar; absent where nobody could read it and the config is silent. */
  diffId?: string
  /** Of the stored bytes. */
  digest?: Digest
  sizeBytes?: number
  /** The instruction of the history that made it, as the config has it; absent where the history does not fit the layers. */
  createdBy?: string
}

/** The longest instruction that is kept: a heredoc of some builds is a program of its own. */
const mostCreatedBy = 2000

interface History {
  created_by?: unknown
  empty_layer?: unknown
}

/**
 * In: the image's config, and its layers in order with the diffID of those that were read. Out: each with its number and what
 * made it. A config that is no JSON says nothing here: whether it may be so is the affair of who opened the image.
 * OCI image-spec, config.md, "history": an entry a layer, besides those marked `empty_layer`.
 */
export function describeLayers(
  configBytes: Buffer,
  layers: readonly { digest?: Digest; sizeBytes?: number; diffId?: Digest }[],
): ScannedLayer[] {
  const config = configOf(configBytes)
  const instructions = instructionsOf(config.history, layers.length)
  const stated = diffIdsOf(config)
  return layers.map(({ digest, sizeBytes, diffId }, at) => {
    const itsDiffId = diffId ?? stated[at]
    const createdBy = instructions[at]
    return {
      number: at + 1,
      ...(itsDiffId !== undefined && { diffId: itsDiffId }),
      ...(digest !== undefined && { digest }),
      ...(sizeBytes !== undefined && { sizeBytes }),
      ...(createdBy !== undefined && createdBy !== '' && { createdBy }),
    }
  })
}

/** In: an image's config. Out: the diffIDs that it names, none where it is no JSON or not all of them are text. */
export function statedDiffIds(configBytes: Buffer): string[] {
  const stated = diffIdsOf(configOf(configBytes))
  return stated.includes(undefined) ? [] : (stated as string[])
}

function diffIdsOf({ rootfs }: ReturnType<typeof configOf>): (string | undefined)[] {
  const stated: unknown[] = Array.isArray(rootfs?.diff_ids) ? rootfs.diff_ids : []
  return stated.map((one) => (typeof one === 'string' ? one.slice(0, 200) : undefined))
}

function configOf(bytes: Buffer): { history?: unknown; rootfs?: { diff_ids?: unknown } } {
  try {
    return (JSON.parse(bytes.toString('utf8')) as object | null) ?? {}
  } catch (error) {
    if (error instanceof SyntaxError) return {}
    throw error
  }
}

function instructionsOf(history: unknown, count: number): (string | undefined)[] {
  if (!Array.isArray(history)) return []
  const entries = history.filter((entry): entry is History => typeof entry === 'object' && entry !== null)
  const making = entries.filter((entry) => entry.empty_layer !== true)
  if (making.length !== count) return []
  return making.map(({ created_by: text }) => (typeof text === 'string' ? plainInstruction(text) : undefined))
}

/** Docker's older builder writes the shell that ran it; BuildKit adds its own mark. */
function plainInstruction(text: string): string {
  return text
    .slice(0, mostCreatedBy)
    .replace(/^\/bin\/sh -c #\(nop\)\s+/, '')
    .replace(/^\/bin\/sh -c /, 'RUN ')
    .replace(/^RUN \/bin\/sh -c /, 'RUN ')
    .replace(/\s+# buildkit$/, '')
    .trim()
}
