import type { Uploads } from '../blobs/uploads.ts'
import type { ObjectStore } from '../objects/objects.ts'
import type { Records } from '../records/records.ts'

/** What a collection has freed, or would. */
export interface Freed {
  links: number
  manifests: number
  blobs: number
  /** Uploads that nobody ended. */
  uploads: number
  objects: number
  /** Of objects. */
  bytes: number
}

export const nothingFreed: Freed = { links: 0, manifests: 0, blobs: 0, uploads: 0, objects: 0, bytes: 0 }

export interface CollectionParts {
  records: Records
  objects: ObjectStore
  uploads: Pick<Uploads, 'expire'>
  graceMs: number
  now: () => number
}
