import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, test } from 'node:test'
import { promisify } from 'node:util'
import { scratch } from '../../../test/support/scratch.ts'
import { first } from './migrations/0001-first.ts'
import { openSqliteRecords } from './sqlite.ts'

const stack = new AsyncDisposableStack()
after(() => stack.disposeAsync())
const folder = await scratch(stack, 'migrate')
let files = 0
const newFile = () => join(folder, `${++files}.sqlite`)

test('from nothing, and once more: the same tables, and what was in them', async () => {
  const file = newFile()
  const records = await openSqliteRecords(file)
  await records.write((tx) => tx.insertInto('repositories').values({ name: 'shop/api', created_at: 1 }).execute())
  await records.close()
  const before = tablesOf(file)
  const again = await openSqliteRecords(file)
  assert.equal((await again.read.selectFrom('repositories').select('name').executeTakeFirstOrThrow()).name, 'shop/api')
  await again.close()
  assert.deepEqual(tablesOf(file), before)
  assert.ok(before.some((line) => line.startsWith('table blob_holders')))
})

test('from the first version: what is there goes over', async () => {
  const file = newFile()
  const database = new DatabaseSync(file)
  database.exec('create table meta (key text primary key, value text not null)')
  database.exec(
    first.statements.replaceAll('{id}', 'integer primary key autoincrement').replaceAll('{name}', 'text').replaceAll('{bytes}', 'blob'),
  )
  database.exec(`insert into meta values ('schema', '0001-first');
    insert into repositories values (1, 'shop/api', 0), (2, 'shop/web', 0);
    insert into manifests values (7, 'sha256:m', 'image', 't', null, null, '{}', null, 2, x'7b7d', 0);
    insert into manifest_links values (1, 7, 0, 'user:a'), (2, 7, 0, 'user:a');
    insert into manifest_blobs values (7, 0, 'sha256:c', 't', 'config'), (7, 1, 'sha256:l', 't', 'layer'), (7, 2, 'sha256:l', 't', 'layer');
    insert into jobs values (1, 'examine', 'sha256:m', 'waiting', 0, 0, null, null, 0)`)
  database.close()
  const records = await openSqliteRecords(file)
  const rows = await records.read.selectFrom('blob_holders').selectAll().orderBy('repository_id').orderBy('blob_digest').execute()
  assert.deepEqual(
    rows.map((row) => [row.repository_id, row.blob_digest, row.manifest_id]),
    [
      [1, 'sha256:c', 7],
      [1, 'sha256:l', 7],
      [2, 'sha256:c', 7],
      [2, 'sha256:l', 7],
    ],
  )
  assert.equal((await records.read.selectFrom('jobs').select('priority').executeTakeFirstOrThrow()).priority, 0)
  await records.close()
})

test('a newer schema is refused in words, and nothing is touched', async () => {
  const file = newFile()
  await (await openSqliteRecords(file)).close()
  const database = new DatabaseSync(file)
  database.exec(`update meta set value = '0999-later' where key = 'schema'`)
  database.close()
  const before = tablesOf(file)
  await assert.rejects(openSqliteRecords(file), { code: 'UNAVAILABLE', message: /newer version of Lazaret \(0999-later\)/ })
  assert.deepEqual(tablesOf(file), before)
})

test('a file that is no database is refused, and kept', async () => {
  const file = newFile()
  const { writeFile, readFile } = await import('node:fs/promises')
  await writeFile(file, 'these are not the records that you are looking for'.repeat(100))
  await assert.rejects(openSqliteRecords(file), /not a database/)
  assert.match(await readFile(file, 'utf8'), /^these are not/)
})

test('processes that open it at once all find it whole', async () => {
  const file = newFile()
  const program = `import { openSqliteRecords } from ${JSON.stringify(import.meta.resolve('./sqlite.ts'))}
    const records = await openSqliteRecords(${JSON.stringify(file)})
    await records.write((tx) => tx.insertInto('repositories').values({ name: 'r' + process.pid, created_at: 0 }).execute())
    await records.close()`
  const run = promisify(execFile)
  const flags = ['--disable-warning=ExperimentalWarning', '--input-type=module', '--eval', program]
  await Promise.all([1, 2, 3].map(() => run(process.execPath, flags)))
  const records = await openSqliteRecords(file)
  assert.equal((await records.read.selectFrom('repositories').select('id').execute()).length, 3)
  await records.close()
})

function tablesOf(file: string): string[] {
  const database = new DatabaseSync(file)
  try {
    const rows = database.prepare('select type, name, sql from sqlite_master order by type, name').all()
    return rows.map((row) => `${row['type']} ${row['name']}: ${row['sql']}`)
  } finally {
    database.close()
  }
}
