import { pipeline, Readable } from 'node:stream'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import type { Transform } from 'node:stream'
import { LazaretError, messageOf } from '../errors.ts'
import { sniff } from './sniff.ts'
import type { Compression } from './sniff.ts'

/** Large enough that a call per chunk costs nothing beside the hashing of it. */
const chunkBytes = 256 * 1024

export interface Decompressed {
  compression: Compression
  bytes: AsyncIterable<Buffer>
  /** Bytes taken from the source so far: the divisor of a bomb's ratio. */
  bytesIn(): number
}

/**
 * Tells gzip (with any number of members), zstd (with any number of frames, skippable ones too) and plain bytes apart
 * by their magic, and undoes the compression as a stream.
 * In: the stored bytes; an abort signal. Out: the plain bytes, and a count of what went in.
 * Throws UNREADABLE where the compressed data is cut short, corrupt, followed by something else, or of a kind that
 * container runtimes don't take either; errors of the source pass through as they are.
 * RFC 1952, section 2.2; RFC 8878, section 3.1.
 */
export async function decompress(source: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<Decompressed> {
  const { compression, replay, discard } = await sniff(abortable(source, signal))
  let bytesIn = 0
  const counted = count(replay, (length) => (bytesIn += length))
  if (compression === 'none') return { compression, bytes: counted, bytesIn: () => bytesIn }
  if (compression === 'bzip2' || compression === 'xz') {
    await discard()
    throw new LazaretError('UNREADABLE', `the data is ${compression}-compressed: only gzip, zstd and no compression are read`)
  }
  return { compression, bytes: decode(counted, compression, () => bytesIn), bytesIn: () => bytesIn }
}

async function* decode(source: AsyncIterable<Buffer>, compression: 'gzip' | 'zstd', bytesIn: () => number): AsyncGenerator<Buffer> {
  const decoder = makeDecoder(compression)
  // The error is not lost: pipeline destroys the decoder with it, and the loop below throws it.
  pipeline(Readable.from(source), decoder, () => {})
  try {
    for await (const chunk of decoder) yield chunk as Buffer
  } catch (error) {
    throw isCodecError(error) ? corrupt(compression, bytesIn(), error) : error
  }
  const taken = (decoder as Transform & { bytesWritten: number }).bytesWritten
  if (taken < bytesIn()) {
    throw new LazaretError('UNREADABLE', `bytes that are no ${compression} data follow its end at compressed byte ${taken}`)
  }
}

function makeDecoder(compression: 'gzip' | 'zstd'): Transform {
  const options = { chunkSize: chunkBytes, highWaterMark: 4 * chunkBytes }
  return compression === 'gzip' ? createGunzip(options) : createZstdDecompress(options)
}

function corrupt(compression: string, bytesIn: number, cause: unknown): LazaretError {
  return new LazaretError(
    'UNREADABLE',
    `the ${compression} data is corrupt or cut short within its first ${bytesIn} bytes: ${messageOf(cause)}`,
    { cause },
  )
}

function isCodecError(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'string' && /^(Z_|ZSTD_|ERR_ZSTD|ERR_TRAILING_JUNK)/.test(code)
}

async function* count(source: AsyncIterable<Buffer>, add: (length: number) => void): AsyncGenerator<Buffer> {
  for await (const chunk of source) {
    add(chunk.length)
    yield chunk
  }
}

/** A source that may wait for ever is left when the signal says so. */
function abortable(source: AsyncIterable<Uint8Array>, signal: AbortSignal | undefined): AsyncIterable<Uint8Array> {
  if (signal === undefined) return source
  const readable = source instanceof Readable ? source : Readable.from(source, { objectMode: true })
  const abort = () => readable.destroy(signal.reason instanceof Error ? signal.reason : new Error('aborted'))
  if (signal.aborted) abort()
  signal.addEventListener('abort', abort, { once: true })
  readable.once('close', () => signal.removeEventListener('abort', abort))
  return readable
}
