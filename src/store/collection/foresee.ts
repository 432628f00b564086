import { sql } from 'kysely'
import { setTimeout as sleep } from 'node:timers/promises'
import { nothingFreed, type CollectionParts, type Freed } from './parts.ts'

const atOnce = 100

/**
 * What a collection would free now, counted in pieces, and nothing changed. Others change things meanwhile: it is an estimate as soon
 * as it is there.
 */
export async function foresee({ records, now }: CollectionParts, cutoff: number, signal?: AbortSignal): Promise<Freed> {
  const freed = { ...nothingFreed }
  const add = (some: { count: number; bytes: number }, what: 'links' | 'manifests' | 'blobs' | 'uploads' | 'objects') => {
    freed[what] += Number(some.count)
    if (what !== 'blobs' && what !== 'objects') return
    freed.bytes += Number(some.bytes)
    if (what === 'blobs') freed.objects += Number(some.count)
  }
  const count = async (what: Parameters<typeof add>[1], query: ReturnType<typeof sql>) => {
    signal?.throwIfAborted()
    const { rows } = await query.execute(records.read)
    for (const row of rows as { count: number; bytes: number }[]) add(row, what)
  }
  await count('objects', sql`select count(*) as count, coalesce(sum(size), 0) as bytes from dead_objects`)
  await count('uploads', sql`select count(*) as count, 0 as bytes from uploads where expires_at <= ${now()}`)
  await count(
    'manifests',
    sql`select count(*) as count, 0 as bytes from manifests m where m.unlinked_at <= ${cutoff}
      and not exists (select 1 from manifest_links l where l.manifest_id = m.id)`,
  )
  await count(
    'blobs',
    sql`select count(*) as count, coalesce(sum(b.size), 0) as bytes from blobs b where b.unlinked_at <= ${cutoff}
      and not exists (select 1 from blob_links l where l.blob_id = b.id)`,
  )
  await eachDeadLink()
  return freed

  /** A blob is counted with the last of its links, and only where all of them are dead. */
  async function eachDeadLink(): Promise<void> {
    let after = { at: -1, repository: 0, blob: 0 }
    for (;;) {
      signal?.throwIfAborted()
      const { rows } = await sql<{ at: number; repository: number; blob: number; dead: number; last: number; bytes: number }>`
        select l.linked_at as at, l.repository_id as repository, l.blob_id as blob, b.size as bytes,
          case when ${heldBy('l', 'b')} then 0 else 1 end as dead,
          case when (b.unlinked_at is null or b.unlinked_at <= ${cutoff}) and not exists (select 1 from blob_links o where o.blob_id = l.blob_id
            and (o.repository_id > l.repository_id or o.linked_at > ${cutoff} or ${heldBy('o', 'b')})) then 1 else 0 end as last
        from blob_links l join blobs b on b.id = l.blob_id where l.checked = 0 and l.linked_at <= ${cutoff}
          and (l.linked_at, l.repository_id, l.blob_id) > (${after.at}, ${after.repository}, ${after.blob})
        order by l.linked_at, l.repository_id, l.blob_id limit ${atOnce}`.execute(records.read)
      for (const row of rows) {
        if (row.dead === 1) add({ count: 1, bytes: 0 }, 'links')
        if (row.dead === 1 && row.last === 1) add({ count: 1, bytes: row.bytes }, 'blobs')
      }
      const last = rows.at(-1)
      if (last === undefined || rows.length < atOnce) return
      after = last
      await sleep(1)
    }
  }
}

/** Whether a manifest of the link's repository holds the blob. */
function heldBy(link: string, blob: string): ReturnType<typeof sql> {
  return sql`exists (select 1 from blob_holders h where h.repository_id = ${sql.ref(`${link}.repository_id`)} and h.blob_digest = ${sql.ref(`${blob}.digest`)})`
}
