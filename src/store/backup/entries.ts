// A backup read from its beginning to its end, folder or archive: the files of its set, then blobs, then the manifest.
import { createReadStream } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable, pipeline } from 'node:stream'
import tar from 'tar-stream'
import { LazaretError, messageOf } from '../../kit/errors.ts'
import { collect } from '../../kit/streams/collect.ts'
import { decompress } from '../../kit/streams/decompress.ts'
import { blobFiles } from './folder.ts'
import { digestAt, isFileName, isSetName, manifestName, mostManifestBytes, parseManifest } from './form.ts'

/** To be read to its end before the next one is asked for. */
export interface BackupEntry {
  path: string
  sizeBytes: number
  body: AsyncIterable<Buffer>
}

/**
 * In: a folder or an archive. Out: its entries. A folder without a whole manifest has none.
 * Throws NOT_FOUND where nothing is there, UNREADABLE where an archive is cut short or changed, or holds what no backup does.
 */
export async function* entriesOf(source: string): AsyncGenerator<BackupEntry> {
  const found = await stat(source).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') throw new LazaretError('NOT_FOUND', `${source} is not there`)
    throw error
  })
  yield* found.isDirectory() ? folderEntries(source) : archiveEntries(source)
}

async function* folderEntries(folder: string): AsyncGenerator<BackupEntry> {
  const text = await fileAt(folder, manifestName)
  if (text === undefined) return
  const manifest = parseManifest((await collect(text.body, mostManifestBytes, manifestName)).toString('utf8'))
  for (const { name } of manifest.files) {
    const entry = await fileAt(folder, `${manifest.set}/${name}`)
    if (entry !== undefined) yield entry
  }
  for await (const path of blobFiles(folder)) {
    const entry = digestAt(path) === undefined ? undefined : await fileAt(folder, path)
    if (entry !== undefined) yield entry
  }
  const again = await fileAt(folder, manifestName)
  if (again !== undefined) yield again
}

async function fileAt(folder: string, path: string): Promise<BackupEntry | undefined> {
  const file = join(folder, path)
  try {
    const found = await stat(file)
    if (!found.isFile()) throw new LazaretError('UNREADABLE', `${path} is no file`)
    return { path, sizeBytes: found.size, body: createReadStream(file, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer> }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

async function* archiveEntries(path: string): AsyncGenerator<BackupEntry> {
  await using file = await open(path, 'r')
  try {
    const { bytes } = await decompress(file.createReadStream({ autoClose: false, highWaterMark: 1 << 20 }))
    const extract = tar.extract()
    // The error is not lost: pipeline destroys the reader with it, and the loop below throws it.
    pipeline(Readable.from(bytes), extract as unknown as NodeJS.WritableStream, () => {})
    for await (const entry of extract) {
      const { name, size, type } = entry.header
      if (type !== 'file' || !belongs(name))
        throw new LazaretError('UNREADABLE', `${JSON.stringify(name.slice(0, 200))} does not belong to a backup`)
      yield { path: name, sizeBytes: size, body: wholeOf(entry as unknown as AsyncIterable<Buffer>) }
      entry.resume()
    }
  } catch (cause) {
    throw unreadable(cause)
  }
}

async function* wholeOf(entry: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  try {
    yield* entry
  } catch (cause) {
    throw unreadable(cause)
  }
}

function unreadable(cause: unknown): LazaretError {
  if (cause instanceof LazaretError) return cause
  return new LazaretError('UNREADABLE', `the archive is cut short or changed: ${messageOf(cause)}`, { cause })
}

function belongs(path: string): boolean {
  const slash = path.indexOf('/')
  return path === manifestName || digestAt(path) !== undefined || (isSetName(path.slice(0, slash)) && isFileName(path.slice(slash + 1)))
}
