import type { NamedBlob } from './blobs.ts'
import type { BackupManifest } from './form.ts'

/** What a backup is written to. Life cycle: files are put into `setFolder`, blobs taken, then `finish`; or `discard` at any time. */
export interface BackupSink {
  /** For all that is not a blob; there already. */
  setFolder: string
  /**
   * Reads a blob to its end and holds it against its digest. Out: whether its bytes were there already.
   * Throws UNREADABLE, BLOB_UNKNOWN and what reading throws where the blob is at fault, UNAVAILABLE where the target is.
   */
  take(blob: NamedBlob): Promise<'copied' | 'there'>
  /** On disk, whole and under its name, when it returns. In: all blobs that the records name. */
  finish(manifest: BackupManifest, blobs: Iterable<NamedBlob>): Promise<void>
  discard(): Promise<void>
}
