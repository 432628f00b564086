import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { recordAudit, type AuditEntry } from '../audit.ts'
import { chainEnds, chainPage } from '../audit-chain.ts'
import { createRefusals } from '../audit-refusals.ts'
import { cutAudit } from '../audit-retention.ts'
import { verifyAudit } from '../audit-verify.ts'
import type { Records } from '../records/records.ts'
import type { OpenRecords } from './records.ts'

const start = 1_800_000_000_000

/** The audit log: one chain, whatever writes it, in which every break is found. */
export function auditSuite(implementation: string, open: OpenRecords): void {
  describe(`audit log over ${implementation}`, () => {
    test('an empty log holds, and has no head', async () => {
      const { rows, head, broken } = await verifyAudit(await open())
      assert.deepEqual([rows, head.id, broken], [0, 0, undefined])
    })

    test('one chain by many writers at once, also where some of them fail', async () => {
      const records = await open()
      const outcomes = await Promise.allSettled(
        Array.from({ length: 60 }, (_, at) =>
          records.write(async (tx) => {
            await recordAudit(tx, entry(at))
            if (at % 7 === 0) throw new Error('the change failed')
          }),
        ),
      )
      const done = outcomes.filter((outcome) => outcome.status === 'fulfilled').length
      assert.deepEqual(await standing(records), { rows: done })
      const ids = await records.read.selectFrom('audit_log').select('id').orderBy('id').execute()
      assert.deepEqual(
        ids.map((row) => row.id),
        Array.from({ length: done }, (_, at) => at + 1),
      )
    })

    test('several rows of one change are chained in their order; more than a page is read whole', async () => {
      const records = await open()
      await records.write((tx) => recordAudit(tx, ...Array.from({ length: chainPage + 5 }, (_, at) => entry(at))))
      assert.deepEqual(await standing(records), { rows: chainPage + 5 })
    })

    for (const column of ['principal', 'address', 'action', 'subject', 'result', 'detail'] as const) {
      test(`a row whose ${column} was changed is named`, async () => {
        const records = await filled(open, 9)
        await records.write((tx) =>
          tx
            .updateTable('audit_log')
            .set({ [column]: '{"x":1}' })
            .where('id', '=', 4)
            .execute(),
        )
        assert.deepEqual(await standing(records), { rows: 3, broken: 4, what: 'changed' })
      })
    }

    test('a row whose time was changed, and one that was changed with its hash', async () => {
      const records = await filled(open, 9)
      await records.write((tx) => tx.updateTable('audit_log').set({ at: 1 }).where('id', '=', 9).execute())
      assert.deepEqual(await standing(records), { rows: 8, broken: 9, what: 'changed' })
      const others = await filled(open, 9)
      await others.write((tx) =>
        tx
          .updateTable('audit_log')
          .set({ hash: 'f'.repeat(64) })
          .where('id', '=', 5)
          .execute(),
      )
      assert.deepEqual(await standing(others), { rows: 4, broken: 5, what: 'changed' })
    })

    test('rows that are missing: the first, some between, the last, all', async () => {
      for (const [gone, rows, broken] of [
        [[1, 2], 0, 3],
        [[4, 5, 6], 3, 7],
        [[9], 8, 9],
        [[1, 2, 3, 4, 5, 6, 7, 8, 9], 0, 9],
      ] as const) {
        const records = await filled(open, 9)
        await records.write((tx) => tx.deleteFrom('audit_log').where('id', 'in', gone).execute())
        assert.deepEqual(await standing(records), { rows, broken, what: 'missing' })
      }
    })

    test('rows that changed places, and one that was put in between', async () => {
      const swapped = await filled(open, 9)
      await swapped.write(async (tx) => {
        for (const [from, to] of [
          [4, 99],
          [5, 4],
          [99, 5],
        ] as const)
          await tx.updateTable('audit_log').set({ id: to }).where('id', '=', from).execute()
      })
      assert.deepEqual(await standing(swapped), { rows: 3, broken: 4, what: 'reordered' })
    })

    test('a chain that was made anew as a whole is found by a link that was kept elsewhere', async () => {
      const records = await filled(open, 5)
      const { head } = await verifyAudit(records)
      await records.write(async (tx) => {
        await tx.deleteFrom('audit_log').execute()
        await tx.deleteFrom('audit_chain').execute()
        await recordAudit(tx, ...Array.from({ length: 6 }, (_, at) => entry(at + 100)))
      })
      assert.deepEqual(await standing(records), { rows: 6 })
      const { broken } = await verifyAudit(records, head)
      assert.deepEqual([broken?.id, broken?.what], [5, 'changed'])
      assert.equal((await verifyAudit(records, { id: 50, hash: head.hash })).broken?.what, 'missing')
    })

    test('any one change of any row breaks the chain at that row', async () => {
      const records = await filled(open, 12)
      await fc.assert(
        fc.asyncProperty(
          fc.integer({ min: 1, max: 12 }),
          fc.constantFrom('subject', 'principal', 'detail'),
          fc.string(),
          async (id, column, text) => {
            const before = await records.read.selectFrom('audit_log').selectAll().where('id', '=', id).executeTakeFirstOrThrow()
            const clean = text.replaceAll('\0', '').toWellFormed()
            if (clean === before[column as 'subject']) return
            await records.write((tx) =>
              tx
                .updateTable('audit_log')
                .set({ [column]: clean })
                .where('id', '=', id)
                .execute(),
            )
            assert.deepEqual(await standing(records), { rows: id - 1, broken: id, what: 'changed' })
            await records.write((tx) =>
              tx
                .updateTable('audit_log')
                .set({ [column]: before[column as 'subject'] })
                .where('id', '=', id)
                .execute(),
            )
          },
        ),
        { numRuns: 25 },
      )
      assert.deepEqual(await standing(records), { rows: 12 })
    })

    test('what is older than the limit is cut away, and the rest holds from its anchor on', async () => {
      const records = await filled(open, 10)
      assert.equal(await cutAudit(records, start, start + 100), 0)
      assert.equal(await cutAudit(records, start + 4, start + 100), 4)
      const { rows, anchor, broken } = await verifyAudit(records)
      assert.deepEqual([rows, anchor?.id, broken], [7, 4, undefined])
      const last = await records.read.selectFrom('audit_log').selectAll().orderBy('id', 'desc').executeTakeFirstOrThrow()
      assert.deepEqual([last.action, last.principal, JSON.parse(last.detail).rows], ['audit.cut', 'system', 4])
      await records.write((tx) => tx.deleteFrom('audit_log').where('id', '=', 5).execute())
      assert.deepEqual(await standing(records), { rows: 0, broken: 6, what: 'missing' })
    })

    test('all of it may go, and the chain goes on', async () => {
      const records = await filled(open, 3)
      assert.equal(await cutAudit(records, start + 1000, start + 2000), 3)
      await records.write((tx) => recordAudit(tx, entry(0)))
      assert.deepEqual(await standing(records), { rows: 2 })
      assert.equal((await chainEnds(records.read))?.head.id, 5)
    })

    test('a part that does not hold is not cut away', async () => {
      const records = await filled(open, 10)
      await records.write((tx) => tx.updateTable('audit_log').set({ subject: 'other' }).where('id', '=', 2).execute())
      await assert.rejects(cutAudit(records, start + 5, start + 100), /does not hold at row 2/)
      assert.deepEqual(await standing(records), { rows: 1, broken: 2, what: 'changed' })
    })

    test('verifying while others write and cut finds nothing', async () => {
      const records = await filled(open, 200)
      const writing = Promise.all(Array.from({ length: 40 }, (_, at) => records.write((tx) => recordAudit(tx, entry(at + 500)))))
      const cutting = cutAudit(records, start + 100, start + 1000)
      const found = await Promise.all([verifyAudit(records), verifyAudit(records), verifyAudit(records)])
      await Promise.all([writing, cutting])
      for (const { broken } of found) assert.equal(broken, undefined)
      assert.deepEqual(await standing(records), { rows: 200 - 100 + 40 + 1 })
    })

    test('refused sign-ins: a row for each name and address, with a count, and a bound on rows', async () => {
      const records = await open()
      const refusals = createRefusals(records, () => start)
      for (let at = 0; at < 5; at++) refusals.note('bob', '192.0.2.1')
      refusals.note('bob', '192.0.2.2')
      await refusals.flush()
      await refusals.flush()
      const rows = await records.read.selectFrom('audit_log').selectAll().orderBy('id').execute()
      assert.deepEqual(
        rows.map((row) => [row.subject, row.address, row.action, row.result, row.detail]),
        [
          ['user:bob', '192.0.2.1', 'sign-in', 'refused', '{"count":5}'],
          ['user:bob', '192.0.2.2', 'sign-in', 'refused', '{"count":1}'],
        ],
      )
      for (let at = 0; at < 5000; at++) refusals.note(`guess-${at}`, '192.0.2.1')
      await refusals.flush()
      const more = await records.read.selectFrom('audit_log').selectAll().where('id', '>', 2).orderBy('id').execute()
      assert.equal(more.length, 201)
      assert.deepEqual([more.at(-1)?.subject, more.at(-1)?.detail], ['user:(others)', '{"count":4800}'])
    })
  })
}

function entry(at: number): AuditEntry {
  const detail = { n: at }
  return {
    principal: 'user:bob',
    address: '192.0.2.1',
    action: 'tag.delete',
    subject: `shop/api:${at}`,
    result: 'done',
    detail,
    at: start + at,
  }
}

async function filled(open: OpenRecords, count: number): Promise<Records> {
  const records = await open()
  await records.write((tx) => recordAudit(tx, ...Array.from({ length: count }, (_, at) => entry(at))))
  return records
}

async function standing(records: Records): Promise<{ rows: number; broken?: number; what?: string }> {
  const { rows, broken } = await verifyAudit(records)
  return broken === undefined ? { rows } : { rows, broken: broken.id, what: broken.what }
}
