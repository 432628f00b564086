import { newsBetween, type NewsRow } from './changes.ts'
import { counterOf } from './database.ts'
import { currentRevision, revisionPath } from './revisions.ts'
import { openRevision } from './schema.ts'

/**
 * In: the data folder, two revisions by their names, and where the page before ended. Out: ids of records that came between them, as
 * the revision in force still knows them; none where nothing was before.
 */
export function newsOf(
  dataFolder: string,
  { from, to }: { from?: string | undefined; to: string },
  page: { after?: string; limit: number },
): NewsRow[] {
  const revision = currentRevision(dataFolder)
  if (revision === undefined || from === undefined) return []
  const database = openRevision(revisionPath(dataFolder, revision))
  try {
    return newsBetween(database, { after: counterOf(from), upTo: counterOf(to) }, page)
  } finally {
    database.close()
  }
}
