import type { CollectionParts } from './parts.ts'

const atOnce = 50

/** Removes objects that nothing in the records needs any more: the object first, and then the row that tells of it. */
export async function collectObjects({
  records,
  objects,
}: Pick<CollectionParts, 'records' | 'objects'>): Promise<{ objects: number; bytes: number; more: boolean }> {
  const dead = await records.read.selectFrom('dead_objects').select(['object_key', 'size']).limit(atOnce).execute()
  if (dead.length === 0) return { objects: 0, bytes: 0, more: false }
  for (const row of dead) await objects.remove(row.object_key)
  const keys = dead.map((row) => row.object_key)
  await records.write((tx) => tx.deleteFrom('dead_objects').where('object_key', 'in', keys).execute())
  return { objects: dead.length, bytes: dead.reduce((sum, row) => sum + row.size, 0), more: dead.length === atOnce }
}
