import { createHash } from 'node:crypto'
import { parseDigest, type Digest } from '../../../model/digest.ts'
import type { ImageInventory } from '../../../model/inventory.ts'
import type { LayerFacts } from '../../../model/layer.ts'
import type { Assembled } from '../../evidence.ts'
import { inventoryCode, judgingCode } from './code.ts'
import { openEntries, type Entries, type EntryLimits } from './entries.ts'
import { factsOfLines, linesOfFacts } from './facts.ts'
import type { Say } from './folder.ts'

/** An image whose layers are all known: laid over each other already. */
export interface KnownImage {
  diffIds: Digest[]
  inventory: ImageInventory
}

/**
 * What earlier runs read, by what the bytes hash to; whether bytes have that hash is for the caller to prove.
 *   blob-DIGEST                 the diffID of stored bytes; a plain tar is a blob too
 *   facts-REVISION-DIFFID       facts of a layer, by the extractors that read it: the key that a server keeps them under
 *   image-HASH                  inventory of a row of blobs, by the code that makes one
 *   judged-HASH                 evidence of a row of blobs, by the code that judges and the file of advisories that it asked
 *   file-HASH OF PATH           which digest a file of a layout had, and its mark then
 */
export interface Known {
  /** Whether a blob was read before, by any revision. */
  hasBlob(digest: Digest): boolean
  facts(blob: Digest, revision: string): Promise<LayerFacts | undefined>
  keepFacts(blob: Digest, revision: string, facts: LayerFacts): Promise<void>
  image(blobs: readonly Digest[]): Promise<KnownImage | undefined>
  keepImage(blobs: readonly Digest[], image: KnownImage): Promise<void>
  /** `advisories` tells one revision of them from any other. */
  judged(blobs: readonly Digest[], advisories: string): Promise<Assembled | undefined>
  keepJudged(blobs: readonly Digest[], advisories: string, assembled: Assembled): Promise<void>
  /** Out: the digest that the file had when its mark was this one. */
  fileDigest(path: string, mark: string): Promise<Digest | undefined>
  keepFile(path: string, mark: string, digest: Digest): Promise<void>
  note(text: string): void
  close(): Promise<void>
}

/** In: the folder, and who is told of troubles. Out: what is known; undefined, and told, where the folder is not to be trusted. */
export function openKnown(folder: string, say: Say, limits?: EntryLimits): Known | undefined {
  const entries = openEntries(folder, say, limits)
  return entries === undefined ? undefined : knownIn(entries, say)
}

function knownIn(entries: Entries, say: Say): Known {
  return {
    hasBlob: (digest) => entries.has(blobName(digest)),
    async facts(blob, revision) {
      const diffId = parseDigest((await first<{ diffId?: unknown }>(entries, blobName(blob)))?.diffId)
      const lines = diffId === undefined ? undefined : entries.get(factsName(diffId, revision))
      return lines === undefined ? undefined : await factsOfLines(lines)
    },
    async keepFacts(blob, revision, facts) {
      const { diffId } = facts
      await entries.put(factsName(diffId, revision), linesOfFacts(facts))
      for (const name of new Set([blobName(blob), blobName(diffId)])) await entries.put(name, lineOf({ diffId }))
    },
    image: (blobs) => first<KnownImage>(entries, imageName(blobs)),
    keepImage: (blobs, image) => entries.put(imageName(blobs), lineOf(image)),
    judged: (blobs, advisories) => first<Assembled>(entries, judgedName(blobs, advisories)),
    keepJudged: (blobs, advisories, assembled) => entries.put(judgedName(blobs, advisories), lineOf(assembled)),
    async fileDigest(path, mark) {
      const kept = await first<{ mark: unknown; digest: unknown }>(entries, fileName(path))
      return kept?.mark === mark ? parseDigest(kept.digest) : undefined
    },
    keepFile: (path, mark, digest) => entries.put(fileName(path), lineOf({ mark, digest })),
    note: (text) => say(text, false),
    close: () => entries.close(),
  }
}

/** Written out where it is wanted: of what is too large, `put` says so. */
function* lineOf(value: object): Generator<string> {
  yield JSON.stringify(value)
}

async function first<T>(entries: Entries, name: string): Promise<T | undefined> {
  const lines = entries.get(name)
  if (lines === undefined) return undefined
  for await (const line of lines) return JSON.parse(line) as T
  return undefined
}

function blobName(digest: Digest): string {
  return `blob-${digest.replace(':', '-')}`
}

function factsName(diffId: Digest, revision: string): string {
  return `facts-${revision}-${diffId.replace(':', '-')}`
}

/** Of this process: its code does not change. */
const code: { inventory?: string; judging?: string } = {}

function imageName(blobs: readonly Digest[]): string {
  code.inventory ??= inventoryCode()
  return `image-${hashOf([code.inventory, ...blobs].join('\n'))}`
}

function judgedName(blobs: readonly Digest[], advisories: string): string {
  code.judging ??= judgingCode()
  return `judged-${hashOf([imageName(blobs), code.judging, advisories].join('\n'))}`
}

function fileName(path: string): string {
  return `file-${hashOf(path)}`
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
