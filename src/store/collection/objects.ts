import { isHeldForBackup } from '../backup/lease.ts'
import type { CollectionParts } from './parts.ts'

const atOnce = 50

/**
 * Removes objects that nothing in the records needs any more: the object first, and then the row that tells of it. None while a
 * backup copies what the records named when it began.
 */
export async function collectObjects({
  records,
  objects,
  now,
}: Pick<CollectionParts, 'records' | 'objects' | 'now'>): Promise<{ objects: number; bytes: number; more: boolean }> {
  const dead = await records.read.selectFrom('dead_objects').select(['object_key', 'size']).limit(atOnce).execute()
  if (dead.length === 0 || (await isHeldForBackup(records, now()))) return { objects: 0, bytes: 0, more: false }
  for (const row of dead) await objects.remove(row.object_key)
  const keys = dead.map((row) => row.object_key)
  await records.write((tx) => tx.deleteFrom('dead_objects').where('object_key', 'in', keys).execute())
  return { objects: dead.length, bytes: dead.reduce((sum, row) => sum + row.size, 0), more: dead.length === atOnce }
}
