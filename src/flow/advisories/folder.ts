// Advisories in a data folder, for who needs no server: imports have a lock of their own, and readers never wait.
import { type SourceRow, sourcesOf } from '../../advisories/fetch/source-rows.ts'
import { type AdvisoryStatus, statusOf as statusInForce } from '../../advisories/status.ts'

export type { ImportReport } from '../../advisories/import.ts'
export type { AdvisoryStatus } from '../../advisories/status.ts'

export interface FetchedStatus extends AdvisoryStatus {
  /** What is known of each source that was ever asked. */
  fetched: SourceRow[]
}

/** In: the data folder. Out: what is in force there, and where it was fetched from. Throws UNAVAILABLE where it can't be read. */
export function statusOf(dataFolder: string): FetchedStatus {
  return { ...statusInForce(dataFolder), fetched: sourcesOf(dataFolder, Date.now()) }
}
