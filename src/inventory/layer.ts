import { createHash } from 'node:crypto'
import type { Readable } from 'node:stream'
import { LazaretError, messageOf } from '../kit/errors.ts'
import { decompress } from '../kit/streams/decompress.ts'
import { digestOf } from '../model/digest.ts'
import type { Digest } from '../model/digest.ts'
import type { LayerFacts } from '../model/layer.ts'
import type { Extractor } from './extractor.ts'
import { extractors as roster } from './extractors.ts'
import { defaultLimits } from './limits.ts'
import type { LayerLimits } from './limits.ts'
import type { TarHandler } from './tar/entry.ts'
import { TarReader } from './tar/reader.ts'
import { Budget } from './walk/budget.ts'
import { FactStore } from './walk/facts.ts'
import type { Gathered } from './walk/gather.ts'
import { LinkedWalk } from './walk/linked.ts'
import { Problems } from './walk/problems.ts'
import { LayerWalk } from './walk/walk.ts'
import type { LinkedFile, ProbedEntry } from './walk/walk.ts'
import { maxReadings } from './probe.ts'

export interface ReadLayerOptions {
  limits?: Partial<LayerLimits>
  /** Ends the reading, however far it is: TIMED_OUT where its reason is a time-out, else UNAVAILABLE. */
  signal?: AbortSignal
  /** The same bytes again: needed where a package database is a hard link. Without it such a file is a problem. */
  reopen?: () => Readable | AsyncIterable<Uint8Array>
  /** Other than the roster's, for tests. */
  extractors?: readonly Extractor[]
}

/**
 * Reads a layer once, as a stream, and keeps what will ever be asked of it. Nothing is written or created.
 * In: the stored bytes (a tar, plain or with gzip or zstd; none at all is an empty tar). Out: its facts; what could not
 * be read inside a readable tar stands in `problems`.
 * Throws UNREADABLE (no tar, cut short, corrupt: with the byte and the entry), LIMIT_EXCEEDED (see limits.ts), TIMED_OUT
 * or UNAVAILABLE (the signal); errors of the source pass through.
 * OCI image-spec, layer.md; for the archive itself see tar/reader.ts.
 */
export async function readLayer(source: Readable | AsyncIterable<Uint8Array>, options: ReadLayerOptions = {}): Promise<LayerFacts> {
  const limits = { ...defaultLimits, ...options.limits }
  const problems = new Problems(limits.problems)
  try {
    return await read(source, options, limits, problems)
  } catch (error) {
    throw options.signal?.aborted === true && !(error instanceof LazaretError) ? stopped(options.signal) : error
  }
}

async function read(
  source: AsyncIterable<Uint8Array>,
  options: ReadLayerOptions,
  limits: LayerLimits,
  problems: Problems,
): Promise<LayerFacts> {
  const layer = await decompress(source, options.signal)
  const budget = new Budget(limits, layer.bytesIn)
  const facts = new FactStore(budget, problems, options.signal)
  const walk = new LayerWalk(options.extractors ?? roster, limits, budget, problems)
  const { diffId, sizeBytes, again } = await pump(layer.bytes, walk, budget, facts, options.signal)
  await readAgain(walk, { diffId, again }, options, limits, facts, problems)
  await facts.extractGroups((index) => walk.tree.isLive(index))
  for (const alias of walk.aliases) facts.alias(alias)
  const { ownership, manifests, ...findings } = facts.findings((index) => walk.tree.isLive(index))
  return {
    diffId,
    sizeBytes,
    files: walk.tree.liveFiles(),
    whiteouts: [...walk.whiteouts],
    opaque: [...walk.opaque],
    ...findings,
    ...(ownership.length > 0 && { ownership }),
    ...(manifests.length > 0 && { manifests }),
    problems: problems.list(),
  }
}

/** Pushes the tar through a walk; extractors run between two chunks, so that few wanted files wait at a time. */
async function pump(
  bytes: AsyncIterable<Buffer>,
  walk: TarHandler & { gathered: Gathered[]; probed: ProbedEntry[] },
  budget: Budget,
  facts: FactStore,
  signal: AbortSignal | undefined,
): Promise<{ diffId: Digest; sizeBytes: number; again: ProbedEntry[] }> {
  const reader = new TarReader(walk)
  const hash = createHash('sha256')
  const again: ProbedEntry[] = []
  let sizeBytes = 0
  for await (const chunk of bytes) {
    signal?.throwIfAborted()
    sizeBytes += chunk.length
    budget.bytes(chunk.length)
    hash.update(chunk)
    reader.push(chunk)
    for (const gathered of walk.gathered.splice(0)) await facts.extract(gathered)
    for (const file of walk.probed.splice(0)) {
      facts.keep(file.index, file.path, file.facts)
      if (file.again.length > 0) again.push(file)
    }
  }
  reader.finish()
  return { diffId: digestOf('sha256', hash.digest('hex')), sizeBytes, again }
}

/** Further readings of the layer: for hard links to wanted bytes, and for probes that must see a file once more. */
async function readAgain(
  walk: LayerWalk,
  first: { diffId: Digest; again: ProbedEntry[] },
  options: ReadLayerOptions,
  limits: LayerLimits,
  facts: FactStore,
  problems: Problems,
): Promise<void> {
  let linked = walk.linked.filter(({ index }) => walk.tree.isLive(index))
  const targets = new Set(walk.aliases.map(({ target }) => target))
  let again = first.again.filter(({ index }) => walk.tree.isLive(index) || targets.has(index))
  for (let readings = 1; linked.length + again.length > 0; readings++) {
    if (options.reopen === undefined || readings === maxReadings) return unread(linked, again, problems)
    const layer = await decompress(options.reopen(), options.signal)
    const budget = new Budget(limits, layer.bytesIn)
    const next = new LinkedWalk(linked, again, budget, problems)
    const before = again
    const { diffId, again: more } = await pump(layer.bytes, next, budget, facts, options.signal)
    again = more
    const changed = diffId === first.diffId ? [] : before
    for (const { path } of new Set([...next.missing, ...changed]))
      problems.add(path, 'leads to bytes that were not there at the second reading')
    linked = []
  }
}

function unread(linked: LinkedFile[], again: ProbedEntry[], problems: Problems): void {
  for (const { path } of linked) problems.add(path, 'is a hard link, and the layer can not be read a second time')
  for (const { path } of again) problems.add(path, 'is a program that the layer must be read again for, and it can not be')
}

function stopped(signal: AbortSignal): LazaretError {
  const timedOut = signal.reason instanceof Error && signal.reason.name === 'TimeoutError'
  return new LazaretError(timedOut ? 'TIMED_OUT' : 'UNAVAILABLE', `the reading of the layer was stopped: ${messageOf(signal.reason)}`, {
    cause: signal.reason,
  })
}
