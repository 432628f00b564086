import { once } from 'node:events'
import { statSync } from 'node:fs'
import { crc32, inflateRawSync } from 'node:zlib'
import { type Entry, fromRandomAccessReader, type ZipFile } from 'yauzl'
import { LazaretError, messageOf } from '../kit/errors.ts'
import { WindowedFile } from './windows.ts'

export interface ZipLimits {
  entries: number
  /** Bytes of one entry, unfolded: it is held whole. */
  entryBytes: number
  /** Bytes of all entries together. */
  totalBytes: number
}

export interface ZipEntry {
  name: string
  bytes: AsyncIterable<Buffer>
}

/**
 * In: a zip file. Out: its files in the order of its directory. Sizes are bounded as they unfold, never believed, and
 * checksums are compared. Throws UNREADABLE for damage, LIMIT_EXCEEDED for too much.
 */
export async function* zipEntries(path: string, limits: ZipLimits): AsyncGenerator<ZipEntry> {
  const file = new WindowedFile(path)
  const zip = await openZip(file, path)
  try {
    if (zip.entryCount > limits.entries) throw new LazaretError('LIMIT_EXCEEDED', `${path} has more than ${limits.entries} entries`)
    const budget = { left: limits.totalBytes }
    for await (const entry of entriesOf(zip, path)) {
      const name = nameOf(entry)
      if (!name.endsWith('/')) yield { name, bytes: entryBytes(zip, file, entry, limits, budget, `${path}: ${name}`) }
    }
  } finally {
    zip.close()
  }
}

function openZip(file: WindowedFile, path: string): Promise<ZipFile> {
  return new Promise((resolve, reject) => {
    // Names are shown, never used as paths, so odd ones are no reason to refuse the rest: hence undecoded.
    const options = { lazyEntries: true, autoClose: false, decodeStrings: false, validateEntrySizes: true }
    fromRandomAccessReader(file, statSync(path).size, options, (error, zip) => {
      if (error === null && zip !== undefined) return resolve(zip)
      file.close(() => undefined)
      reject(damaged(path, error))
    })
  })
}

async function* entriesOf(zip: ZipFile, path: string): AsyncGenerator<Entry> {
  for (let index = 0; index < zip.entryCount; index++) {
    const next = once(zip, 'entry')
    zip.readEntry()
    const [entry] = (await next.catch((error: unknown) => {
      throw damaged(path, error)
    })) as [Entry]
    yield entry
  }
}

/** As UTF-8, without what would disturb a terminal. */
function nameOf(entry: Entry): string {
  return Buffer.from(entry.fileNameRaw)
    .toString('utf8')
    .replaceAll(/[\u0000-\u001f\u007f]/g, '?')
    .slice(0, 200)
}

async function* entryBytes(
  zip: ZipFile,
  file: WindowedFile,
  entry: Entry,
  limits: ZipLimits,
  budget: { left: number },
  where: string,
): AsyncGenerator<Buffer> {
  const most = Math.min(limits.entryBytes, budget.left)
  if (entry.compressedSize > most) throw tooMuch(where)
  const bytes = unfold(file.bytes(await dataStart(zip, entry, where), entry.compressedSize), entry, most, where)
  if (bytes.length !== entry.uncompressedSize || crc32(bytes) !== entry.crc32)
    throw damaged(where, new Error('its size or checksum differs'))
  budget.left -= bytes.length
  yield bytes
}

function unfold(packed: Buffer, entry: Entry, most: number, where: string): Buffer {
  if (entry.isEncrypted()) throw damaged(where, new Error('it is encrypted'))
  if (entry.compressionMethod === 0) return packed
  if (entry.compressionMethod !== 8) throw damaged(where, new Error(`compression method ${entry.compressionMethod}`))
  try {
    return inflateRawSync(packed, { maxOutputLength: Math.max(1, most) })
  } catch (error) {
    throw error instanceof RangeError ? tooMuch(where) : damaged(where, error)
  }
}

function dataStart(zip: ZipFile, entry: Entry, where: string): Promise<number> {
  return new Promise((resolve, reject) => {
    zip.readLocalFileHeader(entry, { minimal: true }, (error, header) => {
      if (error === null && header !== undefined) resolve(header.fileDataStart)
      else reject(damaged(where, error))
    })
  })
}

function tooMuch(where: string): LazaretError {
  return new LazaretError('LIMIT_EXCEEDED', `${where} unfolds to more than allowed`)
}

function damaged(path: string, error: unknown): LazaretError {
  return new LazaretError('UNREADABLE', `${path} is no zip that can be read: ${messageOf(error)}`, { cause: error })
}
