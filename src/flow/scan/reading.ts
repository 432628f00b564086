import { Readable } from 'node:stream'
import { LazaretError, messageOf } from '../../kit/errors.ts'
import type { Digest } from '../../model/digest.ts'
import type { ImageInventory } from '../../model/inventory.ts'
import type { LayerFacts } from '../../model/layer.ts'
import type { LayerOutcome, LayerState } from '../evidence.ts'
import type { Known } from './known/known.ts'
import { provenDigest, provingLayer } from './known/proof.ts'
import type { SourceLayer } from './source.ts'

export interface ScanProgress {
  /** The one that is read, from 1, and how many there are. */
  layer: number
  layers: number
  /** Stored bytes so far, and of all layers where that is known. */
  bytes: number
  totalBytes?: number
}

export interface ReadOptions {
  /** What earlier runs read; absent where all is to be read anew. */
  known?: Known | undefined
  /** Whether the facts of each layer are wanted, not only what they hold together. */
  wantsFacts: boolean
  /** Told as layers are read. */
  onProgress?: ((progress: ScanProgress) => void) | undefined
}

export interface ImageReading {
  layers: (LayerState & { diffId?: Digest })[]
  inventory: ImageInventory
  /** Of the stored bytes of every layer, where all are proven and known by now. */
  blobs?: Digest[]
  /** Of the layers that could be read; absent where nobody wanted them and the image was known. */
  facts?: LayerFacts[]
}

type Tell = (bytes: number) => void

/**
 * In: the layers of an image, lowest first. Out: how each turned out, and what they hold together. What is known is not read
 * again, where the bytes are proven to be those that were read. Errors of the disk and of a registry pass through.
 */
export async function readImage(layers: readonly SourceLayer[], options: ReadOptions): Promise<ImageReading> {
  const tells = tellsOf(layers, options.onProgress)
  const blobs = await provenBlobs(layers, options.known, tells)
  const image = options.wantsFacts ? undefined : await knownImage(blobs, options.known)
  if (image !== undefined) return image
  const outcomes: LayerOutcome[] = []
  for (const [at, layer] of layers.entries()) outcomes.push(await outcomeOf(layer, blobs, at, options.known, tells[at] as Tell))
  const { squash } = await import('./walk.ts')
  const facts = outcomes.flatMap((outcome) => (outcome.state === 'layer' ? [outcome.facts] : []))
  const inventory = squash(facts)
  const kept = await keepImage(blobs, outcomes, inventory, options.known)
  return { layers: outcomes.map(stateOf), inventory, facts, ...(kept !== undefined && { blobs: kept }) }
}

function tellsOf(layers: readonly SourceLayer[], onProgress: ReadOptions['onProgress']): Tell[] {
  const sizes = layers.flatMap(({ sizeBytes }) => sizeBytes ?? [])
  const total = sizes.length === layers.length ? { totalBytes: sizes.reduce((sum, size) => sum + size, 0) } : {}
  let bytes = 0
  return layers.map((_, at) => (read) => onProgress?.({ layer: at + 1, layers: layers.length, bytes: (bytes += read), ...total }))
}

/** Out: a digest a layer, none where it is still to be proven, or was found to be another. */
async function provenBlobs(layers: readonly SourceLayer[], known: Known | undefined, tells: Tell[]): Promise<(Digest | undefined)[]> {
  const blobs: (Digest | undefined)[] = []
  for (const [at, layer] of layers.entries()) {
    if (known === undefined) return []
    // Who walks it next says what is wrong with it.
    const { value } = await unlessUnreadable(() => provenDigest(layer, known, tells[at] as Tell))
    blobs.push(value)
  }
  return blobs
}

async function knownImage(blobs: readonly (Digest | undefined)[], known: Known | undefined): Promise<ImageReading | undefined> {
  const proven = allOf(blobs)
  const image = proven === undefined ? undefined : await known?.image(proven)
  if (proven === undefined || image === undefined || image.diffIds.length !== blobs.length) return undefined
  known?.note(`known from before: all its layers (${blobs.length})`)
  return { layers: image.diffIds.map((diffId) => ({ state: 'layer', diffId })), inventory: image.inventory, blobs: proven }
}

async function outcomeOf(
  layer: SourceLayer,
  blobs: (Digest | undefined)[],
  at: number,
  known: Known | undefined,
  tell: Tell,
): Promise<LayerOutcome> {
  const { value, problem } = await unlessUnreadable(async () => {
    if (layer.facts !== undefined) return await layer.facts()
    if (known === undefined) return await walked(layer, tell)
    return await knownOrWalked(layer, blobs, at, known, tell)
  })
  return value === undefined ? { state: 'unreadable', problem } : { state: 'layer', facts: value }
}

async function knownOrWalked(layer: SourceLayer, blobs: (Digest | undefined)[], at: number, known: Known, tell: Tell): Promise<LayerFacts> {
  const { extractorRevision } = await import('./walk.ts')
  const blob = blobs[at]
  const before = blob === undefined ? undefined : await known.facts(blob, extractorRevision)
  if (before !== undefined) {
    known.note(`known from before: layer ${at + 1}`)
    return before
  }
  const proving = provingLayer(layer, known)
  const facts = await walked({ open: proving.open }, tell)
  const proven = await proving.digest(facts.diffId)
  // A second reading that found other bytes is a problem too: what has one is read again the next time.
  const keeps = proven !== undefined && facts.problems.length === 0
  if (keeps) await known.keepFacts(proven, extractorRevision, facts)
  blobs[at] = keeps ? proven : undefined
  return facts
}

async function walked(layer: Pick<SourceLayer, 'open'>, tell: Tell): Promise<LayerFacts> {
  const { readLayer } = await import('./walk.ts')
  const open = () => Readable.from(counted(layer.open(), tell))
  tell(0)
  return await readLayer(open(), { reopen: open })
}

async function* counted(stream: Readable, tell: Tell): AsyncGenerator<Buffer> {
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    tell(chunk.length)
    yield chunk
  }
}

/** Out: the blobs of the image that is known now; undefined where it is not. */
async function keepImage(
  blobs: readonly (Digest | undefined)[],
  outcomes: readonly LayerOutcome[],
  inventory: ImageInventory,
  known: Known | undefined,
): Promise<Digest[] | undefined> {
  const proven = allOf(blobs)
  const diffIds = allOf(outcomes.map((outcome) => (outcome.state === 'layer' ? outcome.facts.diffId : undefined)))
  if (known === undefined || proven === undefined || diffIds?.length !== proven.length) return undefined
  await known.keepImage(proven, { diffIds, inventory })
  return proven
}

function stateOf(outcome: LayerOutcome): LayerState & { diffId?: Digest } {
  return outcome.state === 'layer' ? { state: 'layer', diffId: outcome.facts.diffId } : outcome
}

/** Out: all of them; undefined where one is missing, or there is none. */
function allOf<T>(some: readonly (T | undefined)[]): T[] | undefined {
  const all = some.filter((one) => one !== undefined)
  return all.length === some.length && all.length > 0 ? all : undefined
}

async function unlessUnreadable<T>(run: () => Promise<T>): Promise<{ value: T; problem: '' } | { value: undefined; problem: string }> {
  try {
    return { value: await run(), problem: '' }
  } catch (error) {
    if (!(error instanceof LazaretError) || (error.code !== 'UNREADABLE' && error.code !== 'LIMIT_EXCEEDED')) throw error
    return { value: undefined, problem: messageOf(error) }
  }
}
