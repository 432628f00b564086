import { createReadStream, createWriteStream } from 'node:fs'
import { mkdtemp, open, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import { LazaretError, messageOf } from '../kit/errors.ts'
import { zipEntries } from './zip.ts'

export interface ReadLimits {
  /** Bytes that one file may unfold to. */
  fileBytes: number
  /** How many times its own size a file may unfold to, above 64 MiB. JSON lines of advisories reach 40. */
  ratio: number
  /** Files in a folder, entries in a zip. */
  entries: number
  /** Bytes of one zip entry. */
  entryBytes: number
}

export const readLimits: ReadLimits = {
  fileBytes: 16 * 1024 ** 3,
  ratio: 250,
  entries: 2_000_000,
  entryBytes: 256 * 1024 ** 2,
}

/** Bytes with a name to speak of them by: a file, or an entry of a zip. */
export interface Document {
  name: string
  /** The file as it was given or found. */
  path: string
  /** ISO 8601: when the file was last changed. */
  changedAt: Date
  bytes: AsyncIterable<Buffer>
}

/**
 * In: files and folders. Out: every document in them, unfolded by what their first bytes say (zstd, gzip, zip, and zip
 * within zstd or gzip). Names inside archives are only ever shown.
 * Throws INPUT_INVALID for what can't be opened, UNREADABLE for damage, LIMIT_EXCEEDED where more unfolds than allowed.
 */
export async function* documentsIn(paths: readonly string[], limits: ReadLimits = readLimits): AsyncGenerator<Document> {
  for (const path of paths) {
    for await (const file of filesIn(path, limits)) yield* documentsOf(file, limits)
  }
}

async function* filesIn(path: string, limits: ReadLimits): AsyncGenerator<string> {
  const found = await stat(path).catch((error: unknown) => {
    throw new LazaretError('INPUT_INVALID', `${path} can't be opened: ${messageOf(error)}`, { cause: error })
  })
  if (!found.isDirectory()) {
    yield path
    return
  }
  const entries = await readdir(path, { recursive: true, withFileTypes: true })
  if (entries.length > limits.entries) throw tooMany(path, limits.entries)
  const files = entries.filter((entry) => entry.isFile() && !entry.name.startsWith('.')).map((entry) => join(entry.parentPath, entry.name))
  yield* files.sort()
}

async function* documentsOf(path: string, limits: ReadLimits): AsyncGenerator<Document> {
  const { size, mtime } = await stat(path)
  const document = { name: basename(path), path, changedAt: mtime }
  const packed = packingOf(await firstBytes(path))
  if (packed === 'zip') {
    yield* zipDocuments(path, document, limits)
    return
  }
  const most = Math.min(limits.fileBytes, 64 * 1024 ** 2 + size * limits.ratio)
  const bytes = (): AsyncIterable<Buffer> => bounded(unpacked(path, packed), packed === undefined ? limits.fileBytes : most, path)
  if (packed !== undefined && packingOf(await headOf(bytes())) === 'zip') yield* packedZip(bytes(), document, limits)
  else yield { ...document, bytes: bytes() }
}

async function* zipDocuments(file: string, document: Omit<Document, 'bytes'>, limits: ReadLimits): AsyncGenerator<Document> {
  const { size } = await stat(file)
  const total = Math.min(limits.fileBytes, 64 * 1024 ** 2 + size * limits.ratio)
  for await (const entry of zipEntries(file, { entries: limits.entries, entryBytes: limits.entryBytes, totalBytes: total })) {
    yield { ...document, name: `${document.name}:${entry.name}`, bytes: entry.bytes }
  }
}

/** A zip is read from its end, so one inside a stream is laid down first. */
async function* packedZip(bytes: AsyncIterable<Buffer>, document: Omit<Document, 'bytes'>, limits: ReadLimits): AsyncGenerator<Document> {
  const folder = await mkdtemp(join(tmpdir(), 'lazaret-import-'))
  try {
    const file = join(folder, 'unfolded.zip')
    await pipeline(bytes, createWriteStream(file, { mode: 0o600 }))
    yield* zipDocuments(file, document, limits)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

type Packing = 'zstd' | 'gzip' | 'zip' | undefined

function packingOf(head: Buffer): Packing {
  if (head.length >= 4 && head.readUInt32LE(0) === 0xfd2fb528) return 'zstd'
  if (head.length >= 2 && head.readUInt16BE(0) === 0x1f8b) return 'gzip'
  if (head.length >= 4 && (head.readUInt32LE(0) === 0x04034b50 || head.readUInt32LE(0) === 0x06054b50)) return 'zip'
  return undefined
}

async function firstBytes(path: string): Promise<Buffer> {
  const file = await open(path, 'r').catch((error: unknown) => {
    throw new LazaretError('INPUT_INVALID', `${path} can't be opened: ${messageOf(error)}`, { cause: error })
  })
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0)
    return buffer.subarray(0, bytesRead)
  } finally {
    await file.close()
  }
}

async function headOf(bytes: AsyncIterable<Buffer>): Promise<Buffer> {
  for await (const chunk of bytes) return chunk
  return Buffer.alloc(0)
}

async function* unpacked(path: string, packing: Packing): AsyncGenerator<Buffer> {
  const source = createReadStream(path, { highWaterMark: 256 * 1024 })
  const unfold = packing === 'zstd' ? createZstdDecompress() : packing === 'gzip' ? createGunzip() : undefined
  const stream: Readable = unfold === undefined ? source : source.pipe(unfold)
  if (unfold !== undefined) source.on('error', (error) => unfold.destroy(error))
  try {
    for await (const chunk of stream) yield chunk as Buffer
  } catch (error) {
    throw new LazaretError('UNREADABLE', `${path} is damaged or cut short: ${messageOf(error)}`, { cause: error })
  } finally {
    source.destroy()
    stream.destroy()
  }
}

async function* bounded(bytes: AsyncIterable<Buffer>, most: number, path: string): AsyncGenerator<Buffer> {
  let total = 0
  for await (const chunk of bytes) {
    total += chunk.length
    if (total > most) throw new LazaretError('LIMIT_EXCEEDED', `${path} unfolds to more than ${most} bytes`)
    yield chunk
  }
}

function tooMany(path: string, most: number): LazaretError {
  return new LazaretError('LIMIT_EXCEEDED', `${path} has more than ${most} entries`)
}
