import { recordsSuite, type OpenRecords } from './records.ts'

/** Every contract of the store, over one implementation of the records. */
export function storeSuites(implementation: string, open: OpenRecords): void {
  recordsSuite(implementation, open)
}
