import { acceptSuite } from './accept.ts'
import { auditSuite } from './audit.ts'
import { blobsSuite } from './blobs.ts'
import { chainsSuite } from './chains.ts'
import { collectionSuite } from './collection.ts'
import { collectionAtRandomSuite } from './collection-at-random.ts'
import { jobsSuite } from './jobs.ts'
import { leaseSuite } from './lease.ts'
import { manifestsSuite } from './manifests.ts'
import { pullsSuite } from './pulls.ts'
import { recordsSuite, type OpenRecords } from './records.ts'
import { scrubSuite } from './scrub.ts'
import { repositorySettingsSuite } from './repository-settings.ts'
import { tagsSuite } from './tags.ts'
import { uploadsSuite } from './uploads.ts'
import { verdictsSuite } from './verdicts.ts'

/** Every contract of the store, over one implementation of the records. */
export function storeSuites(implementation: string, open: OpenRecords): void {
  for (const suite of [
    recordsSuite,
    uploadsSuite,
    blobsSuite,
    chainsSuite,
    acceptSuite,
    manifestsSuite,
    jobsSuite,
    verdictsSuite,
    auditSuite,
    tagsSuite,
    pullsSuite,
    repositorySettingsSuite,
    collectionSuite,
    collectionAtRandomSuite,
    scrubSuite,
    leaseSuite,
  ])
    suite(implementation, open)
}
