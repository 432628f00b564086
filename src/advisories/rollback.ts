import { copyFile, rm } from 'node:fs/promises'
import { LazaretError } from '../kit/errors.ts'
import { keptRevisions, listRevisions, type Revision, revisionPath, withImportLock, workPath } from './revisions.ts'
import { openRevision } from './schema.ts'
import { putInForce } from './signed/take.ts'

export interface Rollback {
  /** In force now: it has a number of its own, as later ones than what it copies were in force already. */
  revision: Revision
  /** What it says again. */
  copied: string
  before: string
}

/**
 * Puts a revision that is kept in force again. In: the data folder, the revision as `lazaret advisories revisions` names it.
 * Throws NOT_FOUND where it is not kept, CONFLICT where it is in force or an import runs, UNAVAILABLE where it can't be read.
 */
export async function rollBack(dataFolder: string, name: string): Promise<Rollback> {
  return withImportLock(dataFolder, async () => {
    const [before, ...kept] = listRevisions(dataFolder)
    const target = kept.find(({ revision }) => revision === name)
    if (before?.revision === name) throw new LazaretError('CONFLICT', `${name} is in force`)
    if (before === undefined) throw notKept(name, kept)
    if (target === undefined) throw notKept(name, kept)
    const work = await workPath(dataFolder)
    try {
      openRevision(revisionPath(dataFolder, target)).close()
      await copyFile(revisionPath(dataFolder, target), work)
      const { date, bundle } = target
      const origin = { how: 'rollback' as const, revision: target.revision }
      const { revision } = await putInForce(dataFolder, work, before, { date, origin, ...(bundle !== undefined && { bundle }) })
      return { revision, copied: target.revision, before: before.revision }
    } finally {
      for (const left of [work, `${work}.whole`]) await rm(left, { force: true })
    }
  })
}

function notKept(name: string, kept: readonly Revision[]): LazaretError {
  const there = kept.length === 0 ? 'none is' : kept.map(({ revision }) => revision).join(', ')
  return new LazaretError(
    'NOT_FOUND',
    `${JSON.stringify(name.slice(0, 40))} is not kept (the last ${keptRevisions} are); to go back to: ${there}`,
  )
}
