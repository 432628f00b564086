import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sql } from 'kysely'
import type { Postgres } from '../../test/support/postgres.ts'
import { openPostgresRecords } from './records/postgres.ts'
import { overPostgres } from './suites/over.ts'
import { storeSuites } from './suites/suites.ts'

await overPostgres('store', [storeSuites], nodesTogether)

function nodesTogether(server: Postgres): void {
  test('nodes that start at once on an empty database migrate it once', async () => {
    const address = await server.createDatabase('nodes')
    const nodes = await Promise.all([1, 2, 3, 4].map(() => openPostgresRecords(address)))
    try {
      await Promise.all(
        nodes.map((node, at) =>
          node.write((tx) =>
            tx
              .insertInto('repositories')
              .values({ name: `r${at}`, created_at: 0 })
              .execute(),
          ),
        ),
      )
      assert.equal((await nodes[0]?.read.selectFrom('repositories').select('id').execute())?.length, 4)
    } finally {
      await Promise.all(nodes.map((node) => node.close()))
    }
  })

  test('a newer schema is refused in words', async () => {
    const address = await server.createDatabase('newer')
    const records = await openPostgresRecords(address)
    await records.write((tx) => tx.updateTable('meta').set({ value: '0999-later' }).where('key', '=', 'schema').execute())
    await records.close()
    await assert.rejects(openPostgresRecords(address), { code: 'UNAVAILABLE', message: /newer version of Lazaret \(0999-later\)/ })
  })

  test('a server that does not answer is told in words, without its password', async () => {
    const address = 'postgres://lazaret:hunter2@127.0.0.1:1/none'
    await assert.rejects(
      openPostgresRecords(address),
      (error: Error) => /does not answer/.test(error.message) && !error.message.includes('hunter2'),
    )
  })

  test('of two changes that wait for each other neither fails', async () => {
    const records = await openPostgresRecords(await server.createDatabase('crossed'))
    try {
      await records.write((tx) =>
        tx
          .insertInto('repositories')
          .values([
            { name: 'a', created_at: 0 },
            { name: 'b', created_at: 0 },
          ])
          .execute(),
      )
      const touch = (order: string[]) =>
        records.write(async (tx) => {
          for (const name of order) {
            await tx
              .updateTable('repositories')
              .set((of) => ({ created_at: of('created_at', '+', 1) }))
              .where('name', '=', name)
              .execute()
            await sql`select pg_sleep(0.05)`.execute(tx)
          }
        })
      await Promise.all([touch(['a', 'b']), touch(['b', 'a'])])
      const rows = await records.read.selectFrom('repositories').select('created_at').execute()
      assert.deepEqual(
        rows.map((row) => row.created_at),
        [2, 2],
      )
    } finally {
      await records.close()
    }
  })
}
