import type { Readable } from 'node:stream'
import { collect } from '../../kit/streams/collect.ts'
import { LazaretError } from '../../kit/errors.ts'

/** A file of an archive or of a folder, by a path inside it. */
export interface StoredFile {
  /** Where it lies, if it is a file by itself. */
  path?: string
  sizeBytes: number
  open(): Readable
  /** Of its bytes, in hex. */
  hash(algorithm: string): Promise<string>
}

/** Where an image's parts lie. */
export interface FileSet {
  /** In: a path inside the set. Out: the file; undefined where there is none, or none that is safe to read. */
  find(path: string): Promise<StoredFile | undefined>
  close(): Promise<void>
}

/** Registries take manifests up to 4 MiB; configs carry histories and may be larger. */
export const maxJsonBytes = 16 * 1024 * 1024

/** In: a file and a word for it. Out: its bytes. Throws UNREADABLE past `maxJsonBytes`. */
export async function readSmall(file: StoredFile, what: string): Promise<Buffer> {
  if (file.sizeBytes > maxJsonBytes)
    throw new LazaretError('UNREADABLE', `${what} has ${file.sizeBytes} bytes, more than the ${maxJsonBytes} that are read`)
  return await collect(file.open(), maxJsonBytes, what)
}
