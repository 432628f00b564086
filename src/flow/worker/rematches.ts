import { promisify } from 'node:util'
import { zstdCompress } from 'node:zlib'
import { openKept, type OpenAdvisories } from '../../advisories/database.ts'
import { decodeEvidence } from '../evidence-form.ts'
import { changedNames, isSameBy, rematched, type ChangedNames } from '../rematched.ts'
import type { Compared, RematchedImage, RematchedImages, Task } from './protocol.ts'

const compress = promisify(zstdCompress)
/** Revisions that evidence was right by, and are asked about again and again while an estate is gone over. */
const mostRemembered = 8

export interface RematchTasks {
  compare(task: Extract<Task, { task: 'compare' }>, advisories: OpenAdvisories): Compared
  rematch(task: Extract<Task, { task: 'rematch' }>, advisories: OpenAdvisories): Promise<RematchedImages>
}

export function rematchTasks(dataFolder: string): RematchTasks {
  let known: { revision: string; names: Map<string, ChangedNames | 'all'> } = { revision: '', names: new Map() }

  function namesSince(since: string, advisories: OpenAdvisories): ChangedNames | 'all' {
    if (known.revision !== advisories.revision || known.names.size > mostRemembered)
      known = { revision: advisories.revision, names: new Map() }
    const found = known.names.get(since)
    if (found !== undefined) return found
    const changes = advisories.changesSince(since)
    const names = changes === 'all' ? changes : changedNames(changes.packages)
    known.names.set(since, names)
    return names
  }

  return {
    compare({ since, subjects }, advisories) {
      const before = openKept(dataFolder, since)
      const all = [...subjects.keys()]
      if (before === undefined) return { revision: advisories.revision, moved: all }
      try {
        return {
          revision: advisories.revision,
          moved: all.filter((at) => !isSameBy(subjects[at] as (typeof subjects)[number], before, advisories)),
        }
      } finally {
        before.close()
      }
    },
    async rematch({ images }, advisories) {
      const { revision } = advisories
      // Nothing is awaited before all are matched: an import may put another revision in force at any time.
      const made = images.map(({ evidence, since, dated }) => {
        const names = namesSince(since, advisories)
        return names === 'all' ? 'whole' : (rematched(decodeEvidence(evidence), names, advisories, dated) ?? 'same')
      })
      const answers = await Promise.all(
        made.map(async (one): Promise<RematchedImage> => {
          if (one === 'whole' || one === 'same') return { state: one }
          const { evidence, subjects } = one
          // The judge asks of the packages no more than whether there are any.
          const judged = { ...evidence, packages: evidence.packages.slice(0, 1) }
          return { state: 'moved', evidence: await compress(JSON.stringify(evidence)), judged, subjects }
        }),
      )
      return { revision, images: answers }
    },
  }
}
