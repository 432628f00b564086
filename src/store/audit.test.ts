import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { scratch } from '../../test/support/scratch.ts'
import { recordAudit, type AuditEntry } from './audit.ts'
import { openSqliteRecords } from './records/sqlite.ts'

const stack = new AsyncDisposableStack()
after(() => stack.disposeAsync())
const records = await openSqliteRecords(join(await scratch(stack, 'audit'), 'records.sqlite'))
stack.defer(() => records.close())

const entry: AuditEntry = {
  principal: 'user:bob',
  address: '192.0.2.1',
  action: 'tag.delete',
  subject: 'shop/api:1',
  result: 'done',
  at: 1_800_000_000_000,
}

test('an entry is a row, with its facts as JSON', async () => {
  const row = await written({ ...entry, detail: { digest: 'sha256:aa' } })
  const { previous, hash } = row
  assert.deepEqual({ ...row }, { ...entry, id: row.id, detail: '{"digest":"sha256:aa"}', previous, hash })
  assert.equal((await written(entry)).detail, '{}')
})

test('a row goes with the change that it tells of, or not at all', async () => {
  const count = async () => (await records.read.selectFrom('audit_log').select('id').execute()).length
  const before = await count()
  await assert.rejects(
    records.write(async (tx) => {
      await recordAudit(tx, entry)
      throw new Error('the change failed')
    }),
    /the change failed/,
  )
  assert.equal(await count(), before)
})

test('text that a client chose is one line of bounded length, and detail has a bound', async () => {
  const row = await written({ ...entry, subject: `a\nb\0c\u2028d\ud800${'x'.repeat(10_000)}`, principal: `${'x'.repeat(511)}\u{1F600}` })
  assert.equal(row.subject.slice(0, 8), 'a\uFFFDb\uFFFDc\uFFFDd\uFFFD')
  assert.equal(row.subject.length, 512)
  assert.ok(row.principal.isWellFormed())
  assert.equal((await written({ ...entry, detail: { text: 'x'.repeat(100_000) } })).detail, '{"cut":true,"keys":["text"]}')
})

async function written(given: AuditEntry) {
  await records.write((tx) => recordAudit(tx, given))
  return records.read.selectFrom('audit_log').selectAll().orderBy('id', 'desc').limit(1).executeTakeFirstOrThrow()
}
