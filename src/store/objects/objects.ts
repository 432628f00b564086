import type { Readable } from 'node:stream'
import type { DigestAlgorithm } from '../../model/digest.ts'

/**
 * Bytes under keys that the store itself gives. The records say which digest lies under which key, so that nothing is
 * ever renamed: a file system appends to a file, an S3 API uploads parts and completes them.
 *
 * Life cycle of an object: `newKey` → `create` → `append` … → `seal`, after which it is on disk (its folder's entry too) and never
 * changes; or `remove`, at any time. What was appended and not sealed may be lost with the power, never half of a seal.
 */
export interface ObjectStore {
  /** Out: a key that no object has. It goes into the records first, so that no object is ever without a record of it. */
  newKey(): string
  /** Out: a new empty object under that key, open for appending. */
  create(key: string): Promise<ObjectWriter>
  /** Goes on with an unsealed object, in this process or after a restart. Throws LazaretError BLOB_UPLOAD_UNKNOWN where it is gone. */
  resume(key: string): Promise<ObjectWriter>
  /**
   * In: a key and a range in bytes, end exclusive. Out: its bytes, those of the time of asking even if it is removed meanwhile.
   * Throws LazaretError BLOB_UNKNOWN where it is gone, INTERNAL where it is shorter than the range: before the first byte.
   */
  read(key: string, range?: { start: number; end: number }): Promise<Readable>
  /** Frees it; fine where it is gone already. */
  remove(key: string): Promise<void>
  close(): Promise<void>
}

export interface ObjectWriter {
  readonly key: string
  /** Bytes so far. */
  readonly size: number
  /** Appends as it streams. On an error of the source, what had come stays, and `size` counts it. */
  append(source: AsyncIterable<Buffer>, onChunk?: (chunk: Buffer) => void): Promise<void>
  /** Out: the digest of all bytes so far, in hex. While nothing is appended. Where the bytes can't be read again it throws what read does. */
  digest(algorithm: DigestAlgorithm): Promise<string>
  /** False after an `append` whose bytes may not all have gone where they belong: then it is let go of, and resumed. */
  readonly intact: boolean
  /** On disk, whole and final. Where it throws, nothing is known of the object: it must be removed, and sent again. */
  seal(): Promise<void>
  /** Lets go of it, to be resumed later or removed. Where it throws, bytes were lost on their way to the disk: it must be removed. */
  release(): Promise<void>
}
