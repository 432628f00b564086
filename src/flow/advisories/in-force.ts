import { openAdvisories, type OpenAdvisories } from '../../advisories/database.ts'
import { currentRevision } from '../../advisories/revisions.ts'

export interface AdvisoriesInForce {
  /** The revision in force now, opened anew where an import has put another in force. To be used before anything is awaited. */
  (): OpenAdvisories
  close(): void
}

/** In: the data folder. Throws what `openAdvisories` throws: there is no falling back to a revision that was. */
export function advisoriesInForce(dataFolder: string): AdvisoriesInForce {
  let open: OpenAdvisories | undefined
  const now = () => {
    if (open !== undefined && open.revision === currentRevision(dataFolder)?.revision) return open
    open?.close()
    open = undefined
    open = openAdvisories(dataFolder)
    return open
  }
  return Object.assign(now, { close: () => open?.close() })
}
