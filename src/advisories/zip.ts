import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { type Entry, open, type ZipFile } from 'yauzl'
import { LazaretError, messageOf } from '../kit/errors.ts'

export interface ZipLimits {
  entries: number
  entryBytes: number
  /** Bytes of all entries together. */
  totalBytes: number
}

export interface ZipEntry {
  name: string
  bytes: AsyncIterable<Buffer>
}

/**
 * In: a zip file. Out: its files in the order of its directory; each one's bytes are to be read before the next is asked for.
 * Sizes are counted as they unfold, never believed. Throws UNREADABLE for damage, LIMIT_EXCEEDED for too much.
 */
export async function* zipEntries(path: string, limits: ZipLimits): AsyncGenerator<ZipEntry> {
  const zip = await openZip(path)
  try {
    if (zip.entryCount > limits.entries) throw new LazaretError('LIMIT_EXCEEDED', `${path} has more than ${limits.entries} entries`)
    const budget = { left: limits.totalBytes }
    for await (const entry of entriesOf(zip, path)) {
      const name = nameOf(entry)
      if (!name.endsWith('/')) yield { name, bytes: entryBytes(zip, entry, limits, budget, path) }
    }
  } finally {
    zip.close()
  }
}

function openZip(path: string): Promise<ZipFile> {
  return new Promise((resolve, reject) => {
    // Names are shown, never used as paths, so odd ones are no reason to refuse the rest: hence undecoded.
    open(path, { lazyEntries: true, autoClose: false, decodeStrings: false, validateEntrySizes: true }, (error, zip) => {
      if (error !== null || zip === undefined) reject(damaged(path, error))
      else resolve(zip)
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

async function* entryBytes(zip: ZipFile, entry: Entry, limits: ZipLimits, budget: { left: number }, path: string): AsyncGenerator<Buffer> {
  const stream = await streamOf(zip, entry, path)
  let size = 0
  try {
    for await (const chunk of stream) {
      const bytes = chunk as Buffer
      size += bytes.length
      budget.left -= bytes.length
      if (size > limits.entryBytes || budget.left < 0)
        throw new LazaretError('LIMIT_EXCEEDED', `${path}: ${nameOf(entry)} unfolds to more than allowed`)
      yield bytes
    }
  } catch (error) {
    throw error instanceof LazaretError ? error : damaged(`${path}: ${nameOf(entry)}`, error)
  } finally {
    stream.destroy()
  }
}

/** As UTF-8, without what would disturb a terminal. */
function nameOf(entry: Entry): string {
  return Buffer.from(entry.fileNameRaw)
    .toString('utf8')
    .replaceAll(/[\u0000-\u001f\u007f]/g, '?')
    .slice(0, 200)
}

function streamOf(zip: ZipFile, entry: Entry, path: string): Promise<Readable> {
  return new Promise((resolve, reject) => {
    zip.openReadStream(entry, (error, stream) => {
      if (error !== null || stream === undefined) reject(damaged(`${path}: ${nameOf(entry)}`, error))
      else resolve(stream)
    })
  })
}

function damaged(path: string, error: unknown): LazaretError {
  return new LazaretError('UNREADABLE', `${path} is no zip that can be read: ${messageOf(error)}`, { cause: error })
}
