/*
 *  What dies, and when (grace = gc.graceSeconds):
 *
 *    blob link   no manifest of its repository holds the blob, and it was made, or asked for, longer ago than the grace
 *    manifest    no repository holds it any more, since longer than the grace
 *    blob        no repository links it any more, since longer than the grace
 *    object      its blob died, or its upload did
 *
 *  A row that may have died says so itself (`checked`, `unlinked_at`), and an index holds those rows alone: the store is never walked.
 *  Records go first, in a transaction that looks once more and leaves the object's key in `dead_objects`; then the object; then
 *  that row. What a crash leaves is found there.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { collectBlobs } from './blobs.ts'
import { foresee } from './foresee.ts'
import { collectLinks } from './links.ts'
import { collectManifests, forgetDeleted } from './manifests.ts'
import { collectObjects } from './objects.ts'
import { nothingFreed, type CollectionParts, type Freed } from './parts.ts'

export interface CollectionOptions {
  /** Counts, and frees nothing. */
  dryRun: boolean
  signal?: AbortSignal
  /** After each step, with what was freed so far. */
  onStep?: (freed: Freed) => Promise<void>
}

/** Frees something, in one small transaction or a few. Out: what, and whether there may be more. */
export type Step = (parts: CollectionParts, cutoff: number) => Promise<Partial<Freed> & { more: boolean }>

/** In the order in which one lets the next find more. */
const steps: readonly Step[] = [collectObjects, expireUploads, forgetDeleted, collectManifests, collectLinks, collectBlobsAndObjects]

/**
 * Goes once through all that may have died until now. Others push and pull meanwhile: between two steps it rests for as long as the
 * step took. Out: what was freed. Throws what the store throws, and the signal's reason; whatever it has done by then stands.
 */
export async function collect(parts: CollectionParts, options: CollectionOptions): Promise<Freed> {
  const cutoff = parts.now() - parts.graceMs
  if (options.dryRun) return foresee(parts, cutoff, options.signal)
  let freed = nothingFreed
  for (const step of steps) {
    for (let more = true; more; ) {
      options.signal?.throwIfAborted()
      const began = performance.now()
      const { more: goesOn, ...some } = await step(parts, cutoff)
      freed = sumOf(freed, some)
      more = goesOn
      await options.onStep?.(freed)
      if (more) await sleep(restMs(performance.now() - began))
    }
  }
  return freed
}

const mostRestMs = 250

function restMs(tookMs: number): number {
  return Math.min(mostRestMs, Math.max(1, tookMs))
}

function sumOf(a: Freed, b: Partial<Freed>): Freed {
  return Object.fromEntries(Object.entries(a).map(([name, count]) => [name, count + (b[name as keyof Freed] ?? 0)])) as unknown as Freed
}

async function expireUploads({ uploads }: CollectionParts): Promise<Partial<Freed> & { more: boolean }> {
  const gone = await uploads.expire()
  return { uploads: gone, more: gone > 0 }
}

async function collectBlobsAndObjects(parts: CollectionParts, cutoff: number): Promise<Partial<Freed> & { more: boolean }> {
  const { more, blobs } = await collectBlobs(parts, cutoff)
  const { objects, bytes } = await collectObjects(parts)
  return { blobs, objects, bytes, more }
}
