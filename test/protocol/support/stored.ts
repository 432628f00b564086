// What a world has stored, counted: a request that was refused must leave all of it as it was.

import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { sql } from 'kysely'
import type { World } from './world.ts'

const tables = [
  'repositories',
  'blobs',
  'blob_links',
  'uploads',
  'manifests',
  'manifest_children',
  'manifest_blobs',
  'manifest_links',
  'tags',
] as const

export interface Stored {
  /** Rows by table. */
  rows: Record<string, number>
  objects: number
  objectBytes: number
}

export async function storedIn(world: World): Promise<Stored> {
  const rows: Record<string, number> = {}
  for (const table of tables) {
    const { rows: counted } = await sql<{ count: number }>`select count(*) as count from ${sql.table(table)}`.execute(
      world.house.records.read,
    )
    rows[table] = Number(counted[0]?.count)
  }
  const folder = join(world.folder, 'data', 'blobs')
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  const sizes = await Promise.all(files.map(async (file) => (await stat(file)).size))
  return { rows, objects: files.length, objectBytes: sizes.reduce((sum, size) => sum + size, 0) }
}
