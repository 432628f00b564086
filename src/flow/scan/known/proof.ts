import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { compressionOf } from '../../../kit/streams/sniff.ts'
import { digestOf, type Digest } from '../../../model/digest.ts'
import type { SourceLayer } from '../source.ts'
import { markOf, provesBytes, type FileMark } from './files.ts'
import type { Known } from './known.ts'

/**
 * Which digest the stored bytes of a layer have, told without walking them:
 * - of a registry, the one that was asked for: a manifest of a proven digest names it, and `open` holds the bytes to it;
 * - of a layout, the one that its file had when it was hashed and had the mark that it has now;
 * - else by hashing, as a name proves nothing; only where something of that name is known, as a walk hashes as well.
 * Out: the digest; undefined where it must be walked.
 */
export async function provenDigest(layer: SourceLayer, known: Known, tell: (bytes: number) => void): Promise<Digest | undefined> {
  const { digest, diffId, path } = layer
  if (layer.facts !== undefined) return undefined
  if (layer.isAsked === true) return digest
  const mark = path === undefined ? undefined : markOf(path)
  if (path !== undefined && mark !== undefined && digest !== undefined && (await known.fileDigest(path, mark.mark)) === digest)
    return digest
  const name = digest ?? diffId
  return name !== undefined && known.hasBlob(name) ? await hashedDigest(layer, known, tell) : undefined
}

/** Where the bytes are not those of the name, who walks them says so. */
async function hashedDigest(layer: SourceLayer, known: Known, tell: (bytes: number) => void): Promise<Digest | undefined> {
  const { digest, path, sizeBytes, storedDigest } = layer
  const beganAt = Date.now()
  const before = path === undefined ? undefined : markOf(path)
  const found = await storedDigest?.()
  if (found === undefined || (digest !== undefined && found !== digest)) return undefined
  tell(sizeBytes ?? 0)
  await remember(layer, known, { digest: found, before, beganAt })
  return found
}

export interface ProvingLayer {
  /** As the layer's own, looked at on its way. */
  open: () => Readable
  /** In: the diffID that was walked to. Out: the digest of the stored bytes, where one opening of them went to its end. */
  digest(diffId: Digest | undefined): Promise<Digest | undefined>
}

/**
 * In: a layer that is about to be walked. Out: the same, watched for what its bytes turn out to be: a layer that is held to a digest
 * need not be hashed twice, nor a plain tar.
 */
export function provingLayer(layer: SourceLayer, known: Known, now: () => number = Date.now): ProvingLayer {
  const beganAt = now()
  const before = layer.path === undefined ? undefined : markOf(layer.path)
  let found: Digest | 'plain' | undefined

  async function* passing(): AsyncGenerator<Buffer> {
    let hash: ReturnType<typeof createHash> | undefined
    let isFirst = true
    for await (const chunk of layer.open() as AsyncIterable<Buffer>) {
      if (isFirst && layer.digest === undefined && compressionOf(chunk) !== 'none') hash = createHash('sha256')
      isFirst = false
      hash?.update(chunk)
      yield chunk
    }
    found = layer.digest ?? (hash === undefined ? 'plain' : digestOf('sha256', hash.digest('hex')))
  }

  return {
    open: () => Readable.from(passing(), { objectMode: false, highWaterMark: 256 * 1024 }),
    async digest(diffId) {
      const digest = found === 'plain' ? diffId : found
      if (digest !== undefined) await remember(layer, known, { digest, before, beganAt })
      return digest
    },
  }
}

interface Seen {
  digest: Digest
  before: FileMark | undefined
  beganAt: number
}

async function remember({ path }: SourceLayer, known: Known, { digest, before, beganAt }: Seen): Promise<void> {
  if (path === undefined || before === undefined || !provesBytes(before, markOf(path), beganAt)) return
  await known.keepFile(path, before.mark, digest)
}
