import { crc32, createInflateRaw, inflateRawSync } from 'node:zlib'
import { messageOf } from '../../kit/errors.ts'
import { contentOf, partOf, piecesOf } from '../content/content.ts'
import type { Content } from '../content/content.ts'
import { SpooledFile } from '../content/spooled.ts'
import { ZipError } from './directory.ts'
import type { ZipEntry } from './directory.ts'

const headerSignature = 0x04034b50
const headerBytes = 30

/** An entry up to this size is unfolded in memory, a larger one into a file without a name. */
const inMemoryBytes = 8 * 1024 * 1024

/**
 * In: a zip's content, one of its entries, and the most bytes that it may unfold to. Out: all its bytes.
 * Throws ZipError: damaged, encrypted, packed otherwise, larger. Stated sizes are never believed; the checksum is compared.
 */
export function unpackWhole(zip: Content, entry: ZipEntry, mostBytes: number): Buffer {
  const packed = packedOf(zip, entry)
  if (packed.sizeBytes > mostBytes) throw tooLarge(mostBytes)
  const stored = packed.read(0, packed.sizeBytes)
  const bytes = entry.method === 0 ? stored : inflate(stored, mostBytes)
  return checked(bytes, entry)
}

/** An entry's bytes, read at any place; to be closed. */
export interface Unpacked {
  content: Content
  close(): void
}

/**
 * As `unpackWhole`, for entries of any size with little memory: one that is stored is only a part of the zip; a large one
 * is laid down. `onBytes` is told of bytes as they unfold, and throws where they are too many.
 */
export async function unpack(zip: Content, entry: ZipEntry, onBytes: (count: number) => void): Promise<Unpacked> {
  const packed = packedOf(zip, entry)
  if (entry.method === 0) return { content: packed, close: () => undefined }
  if (entry.sizeBytes > inMemoryBytes || packed.sizeBytes > inMemoryBytes) return await spool(packed, entry, onBytes)
  const bytes = checked(inflate(packed.read(0, packed.sizeBytes), entry.sizeBytes), entry)
  onBytes(bytes.length)
  return { content: contentOf(bytes), close: () => undefined }
}

async function spool(packed: Content, entry: ZipEntry, onBytes: (count: number) => void): Promise<Unpacked> {
  const file = new SpooledFile()
  try {
    let sum = 0
    for await (const bytes of inflated(packed)) {
      if (file.sizeBytes + bytes.length > entry.sizeBytes) throw tooLarge(entry.sizeBytes)
      onBytes(bytes.length)
      sum = crc32(bytes, sum)
      file.append(bytes)
    }
    if (file.sizeBytes !== entry.sizeBytes || sum !== entry.crc32) throw new ZipError('is damaged: its size or checksum differs')
    return { content: file, close: () => file.close() }
  } catch (error) {
    file.close()
    throw error
  }
}

async function* inflated(packed: Content): AsyncGenerator<Buffer> {
  const stream = createInflateRaw({ chunkSize: 256 * 1024 })
  const feeding = feed(stream, packed)
  try {
    for await (const bytes of stream) yield bytes as Buffer
    await feeding
  } catch (error) {
    throw isZlib(error) ? damaged(error) : error
  } finally {
    stream.destroy()
    await feeding.catch(() => undefined) // what broke it was thrown above
  }
}

/** Ends where the stream is destroyed: whoever reads it has the reason. */
async function feed(stream: ReturnType<typeof createInflateRaw>, packed: Content): Promise<void> {
  for (const piece of piecesOf(packed)) {
    if (stream.destroyed) return
    if (!stream.write(piece)) await drained(stream)
  }
  stream.end()
}

function drained(stream: ReturnType<typeof createInflateRaw>): Promise<void> {
  return new Promise((resolve) => {
    const settle = (): void => {
      stream.off('drain', settle).off('close', settle)
      resolve()
    }
    stream.on('drain', settle).on('close', settle)
  })
}

/** Where the bytes stand is said by the entry's own header; how many they are, by the directory. */
function packedOf(zip: Content, entry: ZipEntry): Content {
  if (entry.encrypted) throw new ZipError('is encrypted')
  if (entry.method !== 0 && entry.method !== 8) throw new ZipError(`is packed by method ${entry.method}, which is not read`)
  if (entry.headerAt + headerBytes > zip.sizeBytes) throw outside()
  const header = zip.read(entry.headerAt, headerBytes)
  if (header.readUInt32LE(0) !== headerSignature) throw outside()
  const start = entry.headerAt + headerBytes + header.readUInt16LE(26) + header.readUInt16LE(28)
  if (!Number.isSafeInteger(entry.packedBytes) || start + entry.packedBytes > zip.sizeBytes) throw outside()
  return partOf(zip, start, entry.packedBytes)
}

function inflate(packed: Buffer, mostBytes: number): Buffer {
  try {
    return inflateRawSync(packed, { maxOutputLength: Math.max(1, mostBytes) })
  } catch (error) {
    throw error instanceof RangeError ? tooLarge(mostBytes) : damaged(error)
  }
}

function checked(bytes: Buffer, entry: ZipEntry): Buffer {
  if (bytes.length === entry.sizeBytes && crc32(bytes) === entry.crc32) return bytes
  throw new ZipError('is damaged: its size or checksum differs')
}

function isZlib(error: unknown): boolean {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('Z_')
}

function damaged(error: unknown): ZipError {
  return new ZipError(`is damaged: ${messageOf(error)}`, { cause: error })
}

function outside(): ZipError {
  return new ZipError('is damaged: the directory leads to no entry')
}

function tooLarge(mostBytes: number): ZipError {
  return new ZipError(`unfolds to more than ${mostBytes} bytes`)
}
