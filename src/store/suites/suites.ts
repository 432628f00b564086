import { blobsSuite } from './blobs.ts'
import { recordsSuite, type OpenRecords } from './records.ts'
import { uploadsSuite } from './uploads.ts'

/** Every contract of the store, over one implementation of the records. */
export function storeSuites(implementation: string, open: OpenRecords): void {
  recordsSuite(implementation, open)
  uploadsSuite(implementation, open)
  blobsSuite(implementation, open)
}
