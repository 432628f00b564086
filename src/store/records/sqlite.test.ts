import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { sql } from 'kysely'
import { scratch } from '../../../test/support/scratch.ts'
import type { Records, Tx } from './records.ts'
import { openSqliteRecords } from './sqlite.ts'

const stack = new AsyncDisposableStack()
after(() => stack.disposeAsync())
const folder = await scratch(stack, 'sqlite')
let files = 0

test('what waits at the same time is done in the order in which it came', async () => {
  const records = await open()
  const order: number[] = []
  await Promise.all(Array.from({ length: 200 }, (_, at) => records.write((tx) => add(tx, `r${at}`)).then(() => order.push(at))))
  assert.deepEqual(
    order,
    Array.from({ length: 200 }, (_, at) => at),
  )
  const rows = await records.read.selectFrom('repositories').select('name').orderBy('id').execute()
  assert.deepEqual(
    rows.map((row) => row.name),
    Array.from({ length: 200 }, (_, at) => `r${at}`),
  )
})

test('a commit that fails fails every change in it, and the next one is free of it', async () => {
  const records = await open()
  const outcomes = await Promise.allSettled([
    records.write((tx) => add(tx, 'a')),
    records.write(async (tx) => {
      await sql`pragma defer_foreign_keys = on`.execute(tx)
      await tx.insertInto('blob_links').values({ repository_id: 99, blob_id: 99, linked_at: 0 }).execute()
    }),
    records.write((tx) => add(tx, 'c')),
  ])
  assert.deepEqual(
    outcomes.map((outcome) => (outcome.status === 'rejected' ? String(outcome.reason.message) : 'done')),
    Array(3).fill('FOREIGN KEY constraint failed'),
  )
  assert.deepEqual(await names(records), [])
  await records.write((tx) => add(tx, 'd'))
  assert.deepEqual(await names(records), ['d'])
})

test('a full disk fails the changes with its own words, and later ones are free of it', async () => {
  const records = await open()
  await records.write((tx) => sql`pragma max_page_count = 110`.execute(tx))
  const outcomes = await Promise.allSettled([
    records.write((tx) => add(tx, 'small')),
    records.write((tx) => add(tx, 'x'.repeat(4_000_000))),
    records.write((tx) => add(tx, 'after')),
  ])
  const large = outcomes[1] as PromiseRejectedResult
  assert.match(String(large.reason), /full/)
  for (const outcome of outcomes) if (outcome.status === 'rejected') assert.match(String(outcome.reason), /full/)
  const kept = outcomes.flatMap((outcome, at) => (outcome.status === 'fulfilled' ? [['small', '', 'after'][at]] : []))
  assert.deepEqual(await names(records), kept.toSorted())
  await records.write((tx) => sql`pragma max_page_count = 100000`.execute(tx))
  await records.write((tx) => add(tx, 'room'))
  assert.ok((await names(records)).includes('room'))
})

test('a write that resolved outlives the process, whatever ends it', async () => {
  const file = join(folder, 'killed.sqlite')
  const program = `import { openSqliteRecords } from ${JSON.stringify(import.meta.resolve('./sqlite.ts'))}
    const records = await openSqliteRecords(${JSON.stringify(file)})
    for (let at = 0; ; at++) {
      await records.write((tx) => tx.insertInto('repositories').values({ name: 'r' + at, created_at: 0 }).execute())
      process.stdout.write(at + '\\n')
    }`
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', '--input-type=module', '--eval', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let told = ''
  for await (const chunk of child.stdout) {
    told += String(chunk)
    if (told.split('\n').length > 20) child.kill('SIGKILL')
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  const last = Number(told.trim().split('\n').at(-1))
  const records = await openSqliteRecords(file)
  stack.defer(() => records.close())
  const kept = (await names(records)).length
  assert.ok(last >= 19 && kept > last, `${kept} rows after ${last} was told`)
})

test('a long transaction lets others have their turn, and shows them nothing of itself', async () => {
  const records = await open()
  let [turns, longest, last] = [0, 0, performance.now()]
  const timer = setInterval(() => {
    turns++
    longest = Math.max(longest, performance.now() - last)
    last = performance.now()
  }, 1)
  const seen: number[] = []
  const looking = setInterval(() => void names(records).then((found) => seen.push(found.length)), 20)
  const second = records.write(async (tx) => {
    for (let at = 0; at < 40; at++)
      await tx
        .insertInto('repositories')
        .values(Array.from({ length: 1000 }, (_, of) => ({ name: `r${at}.${of}`, created_at: 0 })))
        .execute()
    throw new Error('and all of it goes')
  })
  const third = records.write((tx) => add(tx, 'next'))
  await assert.rejects(second, /and all of it goes/)
  await third
  clearInterval(timer)
  clearInterval(looking)
  assert.ok(turns > 5, `${turns} turns, the longest wait ${longest} ms`)
  assert.deepEqual(new Set(seen).difference(new Set([0, 1])), new Set())
  assert.deepEqual(await names(records), ['next'])
})

test('closing waits for what was given', async () => {
  const file = join(folder, 'closing.sqlite')
  const records = await openSqliteRecords(file)
  const rows = Array.from({ length: 1000 }, (_, of) => of)
  const writes = Array.from({ length: 20 }, (_, at) =>
    records.write((tx) =>
      tx
        .insertInto('repositories')
        .values(rows.map((of) => ({ name: `r${at}.${of}`, created_at: 0 })))
        .execute(),
    ),
  )
  await records.close()
  await Promise.all(writes)
  const again = await openSqliteRecords(file)
  stack.defer(() => again.close())
  assert.equal((await names(again)).length, 20_000)
})

test('after closing, a write is refused rather than lost', async () => {
  const records = await openSqliteRecords(join(folder, 'closed.sqlite'))
  await records.close()
  await assert.rejects(records.write((tx) => add(tx, 'late')))
})

async function open(): Promise<Records> {
  const records = await openSqliteRecords(join(folder, `${++files}.sqlite`))
  stack.defer(() => records.close())
  return records
}

async function add(tx: Tx, name: string): Promise<void> {
  await tx.insertInto('repositories').values({ name, created_at: 0 }).execute()
}

async function names(records: Records): Promise<string[]> {
  return (await records.read.selectFrom('repositories').select('name').orderBy('name').execute()).map((row) => row.name)
}
