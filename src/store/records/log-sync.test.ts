import assert from 'node:assert/strict'
import { open, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { sql } from 'kysely'
import { asNoRoom } from '../../kit/no-room.ts'
import { scratch } from '../../../test/support/scratch.ts'
import type { Tx } from './records.ts'
import { createLogSync } from './log-sync.ts'
import { openSqliteRecords } from './sqlite.ts'

const stack = new AsyncDisposableStack()
after(() => stack.disposeAsync())
const folder = await scratch(stack, 'log-sync')
const file = join(folder, 'log')
await writeFile(file, '')
const probe = await open(file)
// What every file handle shares: the one inside can't be reached.
const handles = Object.getPrototypeOf(probe) as { datasync: () => Promise<void> }
await probe.close()

test('who calls while a sync is under way waits for the next one, and all share that', async (t) => {
  const ends: (() => void)[] = []
  const begun = t.mock.method(handles, 'datasync', () => new Promise<void>((resolve) => ends.push(resolve)))
  const log = createLogSync(file)
  const done: string[] = []
  await log.synced()
  assert.equal(begun.mock.callCount(), 0, 'nothing was committed')
  log.committed()
  const first = log.synced().then(() => done.push('first'))
  while (begun.mock.callCount() < 1) await new Promise(setImmediate)
  log.committed()
  const second = log.synced().then(() => done.push('second'))
  const third = log.synced().then(() => done.push('third'))
  ends[0]?.()
  await first
  assert.deepEqual(done, ['first'], 'the others were committed after that sync had begun')
  while (begun.mock.callCount() < 2) await new Promise(setImmediate)
  ends[1]?.()
  await Promise.all([second, third])
  await log.synced()
  assert.equal(begun.mock.callCount(), 2)
  await log.close()
})

test('a disk that is full at the sync is not one on which nothing was stored: the rows stand', async (t) => {
  t.mock.method(handles, 'datasync', async () => {
    throw Object.assign(new Error('ENOSPC: no space left on device, fdatasync'), { code: 'ENOSPC' })
  })
  const log = createLogSync(file)
  log.committed()
  const error = await log.synced().then(
    () => assert.fail('it was not synced'),
    (problem: unknown) => problem,
  )
  assert.equal(asNoRoom(error), undefined)
  assert.equal(log.problem(), error)
  await log.close()
})

test('who need not wait for the disk is told at the commit, and the sync comes all the same', async (t) => {
  const records = await openSqliteRecords(join(folder, 'behind.sqlite'))
  let end = () => {}
  const begun = t.mock.method(handles, 'datasync', () => new Promise<void>((resolve) => (end = resolve)))
  const add = (name: string) => (tx: Tx) => tx.insertInto('repositories').values({ name, created_at: 1 }).execute()
  await records.write(add('a'), { sync: 'behind' })
  assert.equal((await records.read.selectFrom('repositories').select('name').execute()).length, 1)
  while (begun.mock.callCount() < 1) await new Promise(setImmediate)
  let synced = false
  const whole = records.synced().then(() => (synced = true))
  await new Promise(setImmediate)
  assert.equal(synced, false)
  end()
  await whole
  assert.equal(begun.mock.callCount(), 1)
  await records.close()
})

test('what may not be on disk is not acknowledged, nor is anything after it', async (t) => {
  const records = await openSqliteRecords(join(folder, 'records.sqlite'))
  const add = (name: string) => records.write((tx) => tx.insertInto('repositories').values({ name, created_at: 1 }).execute())
  await add('before')
  t.mock.method(handles, 'datasync', async () => {
    throw Object.assign(new Error('EIO: i/o error, fdatasync'), { code: 'EIO' })
  })
  await assert.rejects(add('lost'), { code: 'UNAVAILABLE', message: /not synced to disk \(.*EIO.*start anew/ })
  t.mock.restoreAll()
  await assert.rejects(add('later'), /start anew/)
  const rows = await records.read.selectFrom('repositories').select('name').orderBy('id').execute()
  assert.deepEqual(
    rows.map((row) => row.name),
    ['before', 'lost'],
    'what is refused from then on does not take place',
  )
  await records.close()
  const again = await openSqliteRecords(join(folder, 'records.sqlite'))
  await again.write((tx) => sql`delete from repositories`.execute(tx))
  await again.close()
})
