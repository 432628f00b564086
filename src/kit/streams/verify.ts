import { createHash } from 'node:crypto'
import { digestAlgorithm } from '../../model/digest.ts'
import type { Digest } from '../../model/digest.ts'
import { LazaretError } from '../errors.ts'

/**
 * Passes bytes on and holds them to their name: the last chunk is followed by an error, not by an end, where they have
 * another digest or size. In: the bytes, and what they should be. Throws UNREADABLE.
 */
export async function* verified(source: AsyncIterable<Uint8Array>, digest: Digest, sizeBytes: number): AsyncGenerator<Buffer> {
  const algorithm = digestAlgorithm(digest)
  const hash = createHash(algorithm)
  let total = 0
  for await (const chunk of source) {
    total += chunk.length
    if (total > sizeBytes) break
    hash.update(chunk)
    yield chunk as Buffer
  }
  if (total !== sizeBytes)
    throw new LazaretError(
      'UNREADABLE',
      `${digest} has ${total > sizeBytes ? 'more' : 'less'} than the ${sizeBytes} bytes that it should have`,
    )
  const found = `${algorithm}:${hash.digest('hex')}`
  if (found !== digest) throw new LazaretError('UNREADABLE', `what is stored as ${digest} is ${found}`)
}
