import { LazaretError } from '../errors.ts'

/**
 * Reads a stream whole, up to a bound.
 * In: the bytes, the most that is taken, and a word for what they are. Out: one buffer.
 * Throws LIMIT_EXCEEDED past the bound; errors of the source pass through.
 */
export async function collect(source: AsyncIterable<Uint8Array>, maxBytes: number, what: string): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let total = 0
  for await (const chunk of source) {
    total += chunk.length
    if (total > maxBytes) throw new LazaretError('LIMIT_EXCEEDED', `${what} is larger than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks, total)
}
