import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { sql } from 'kysely'
import type { Records, Tx } from '../records/records.ts'

/** Empty records, by each call. What is under test may be another database, but never another suite. */
export type OpenRecords = () => Promise<Records>

/** The contract of `Records`, over any implementation. */
export function recordsSuite(implementation: string, open: OpenRecords): void {
  describe(`records over ${implementation}`, () => {
    test('a change is there for every reader when its write has resolved, with what it returned', async () => {
      const records = await open()
      const id = await records.write((tx) => add(tx, 'shop/api'))
      const byName = records.prepare<{ id: number }>('select id from repositories where name = ?')
      assert.deepEqual({ ...(await byName.first('shop/api')) }, { id })
      assert.equal(typeof id, 'number')
      assert.deepEqual(await names(records), ['shop/api'])
      assert.equal(await byName.first('shop/none'), undefined)
      assert.deepEqual(await byName.all('shop/none'), [])
    })

    test('a change that throws leaves nothing, and its neighbours nothing of it', async () => {
      const records = await open()
      await records.write((tx) => add(tx, 'taken'))
      const outcomes = await Promise.allSettled([
        records.write((tx) => add(tx, 'a')),
        records.write(async (tx) => {
          await add(tx, 'b')
          throw new RangeError('by will')
        }),
        records.write((tx) => add(tx, 'c')),
        records.write(async (tx) => {
          await add(tx, 'd')
          await add(tx, 'taken')
        }),
        records.write((tx) => add(tx, 'e')),
      ])
      assert.deepEqual(
        outcomes.map((outcome) => outcome.status),
        ['fulfilled', 'rejected', 'fulfilled', 'rejected', 'fulfilled'],
      )
      assert.equal((outcomes[1] as PromiseRejectedResult).reason.message, 'by will')
      assert.deepEqual(await names(records), ['a', 'c', 'e', 'taken'])
    })

    test('a change reads what it wrote, and what a change before it wrote', async () => {
      const records = await open()
      await records.write((tx) => add(tx, 'a'))
      const seen = await records.write(async (tx) => {
        await add(tx, 'b')
        return tx.selectFrom('repositories').select('name').orderBy('name').execute()
      })
      assert.deepEqual(
        seen.map((row) => row.name),
        ['a', 'b'],
      )
    })

    test('many changes at once all arrive', async () => {
      const records = await open()
      const wanted = Array.from({ length: 300 }, (_, at) => `r${String(at).padStart(4, '0')}`)
      await Promise.all(wanted.map((name) => records.write((tx) => add(tx, name))))
      assert.deepEqual(await names(records), wanted)
    })

    test('names come byte by byte, whatever the locale', async () => {
      const records = await open()
      const mixed = ['a', 'B', '_', 'Z', 'b', 'a-b', 'a.b', 'a_b', 'A', '~', 'ä', '10', '9', '\u{1F600}', '\uFB01']
      for (const name of mixed) await records.write((tx) => add(tx, name))
      const byBytes = mixed.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
      assert.deepEqual(await names(records), byBytes)
      const after = records.prepare<{ name: string }>('select name from repositories where name > ? order by name limit ?')
      assert.deepEqual(
        (await after.all('Z', 2)).map((row) => row.name),
        ['_', 'a'],
      )
    })

    test('bytes, large numbers, null and counts have the same types everywhere', async () => {
      const records = await open()
      const bytes = Buffer.from([0, 1, 254, 255])
      await records.write(async (tx) => {
        await tx
          .insertInto('layers')
          .values({ diff_id: 'sha256:a', extractors: 'x', size: 2 ** 52 + 1, facts: bytes, created_at: 1 })
          .execute()
        await tx
          .insertInto('blob_layers')
          .values({ blob_digest: 'd', state: 'json', diff_id: null, problem: null, read_at: 0, extractors: null })
          .execute()
      })
      const row = await records.read.selectFrom('layers').selectAll().executeTakeFirstOrThrow()
      assert.equal(row.size, 2 ** 52 + 1)
      assert.ok(row.facts instanceof Uint8Array)
      assert.deepEqual(Buffer.from(row.facts), bytes)
      assert.equal((await records.read.selectFrom('blob_layers').select('diff_id').executeTakeFirstOrThrow()).diff_id, null)
      const gone = await records.write((tx) => tx.deleteFrom('layers').where('diff_id', '=', 'sha256:a').executeTakeFirst())
      assert.equal(gone.numDeletedRows, 1n)
    })

    test('text with a NUL or half a surrogate is kept as text, and is no error of the database', async () => {
      const records = await open()
      await records.write((tx) => add(tx, 'a\0b\ud800c'))
      const [name = ''] = await names(records)
      assert.match(name, /^a(\0|\uFFFD)b\uFFFDc$/)
      const byName = records.prepare<{ name: string }>('select name from repositories where name = ?')
      assert.equal((await byName.first('a\0b\ud800c'))?.name, name)
    })

    test('what points at nothing is refused', async () => {
      const records = await open()
      const dangling = records.write((tx) => tx.insertInto('blob_links').values({ repository_id: 1, blob_id: 1, linked_at: 0 }).execute())
      await assert.rejects(dangling, /foreign key/i)
    })

    test('parts of a transaction under way are seen by nobody', async () => {
      const records = await open()
      const seenMeanwhile = await records.write(async (tx) => {
        await add(tx, 'half')
        const { rows } = await sql<{ count: number }>`select count(*) as count from repositories`.execute(records.read)
        return Number(rows[0]?.count)
      })
      assert.equal(seenMeanwhile, 0)
      assert.deepEqual(await names(records), ['half'])
    })
  })
}

async function add(tx: Tx, name: string): Promise<number> {
  return (await tx.insertInto('repositories').values({ name, created_at: 0 }).returning('id').executeTakeFirstOrThrow()).id
}

async function names(records: Records): Promise<string[]> {
  return (await records.read.selectFrom('repositories').select('name').orderBy('name').execute()).map((row) => row.name)
}
