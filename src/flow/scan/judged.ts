import { openAdvisories, type OpenAdvisories } from '../../advisories/database.ts'
import { currentRevision, revisionPath } from '../../advisories/revisions.ts'
import type { Digest } from '../../model/digest.ts'
import type { Assembled } from '../evidence.ts'
import { markOf } from './known/files.ts'
import type { Known } from './known/known.ts'
import type { ImageReading } from './reading.ts'

/** Advisories, and what tells this revision from any other; absent where that can't be told. */
export interface MarkedAdvisories {
  advisories: OpenAdvisories
  mark?: string
}

/** In: a folder with a revision in force. Its file never changes, and its mark is that of a file of a layout. Throws UNAVAILABLE. */
export function openMarked(folder: string): MarkedAdvisories {
  const before = markInForce(folder)
  const advisories = openAdvisories(folder)
  return { advisories, ...(before !== undefined && before === markInForce(folder) && { mark: before }) }
}

function markInForce(folder: string): string | undefined {
  const revision = currentRevision(folder)
  const file = revision === undefined ? undefined : markOf(revisionPath(folder, revision))
  return file === undefined ? undefined : `${revision?.revision} ${file.mark}`
}

/**
 * In: an image that was read, the digest that it goes by, and advisories. Out: its evidence; that of before where the same layers were
 * judged by the same advisories.
 */
export async function judgedOf(
  reading: ImageReading,
  digest: Digest,
  { advisories, mark }: MarkedAdvisories,
  known: Known | undefined,
): Promise<Assembled> {
  const now = new Date()
  const { blobs } = reading
  const before = known === undefined || blobs === undefined || mark === undefined ? undefined : await known.judged(blobs, mark)
  if (before !== undefined) return { ...before, evidence: { ...before.evidence, digest, examinedAt: now.toISOString() } }
  const { evidenceOf } = await import('../evidence.ts')
  const assembled = evidenceOf({ digest, kind: 'image', ...reading, advisories, now })
  if (known !== undefined && blobs !== undefined && mark !== undefined) await known.keepJudged(blobs, mark, assembled)
  return assembled
}
