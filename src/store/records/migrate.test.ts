import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, test } from 'node:test'
import { promisify } from 'node:util'
import { scratch } from '../../../test/support/scratch.ts'
import { first } from './migrations/0001-first.ts'
import { holders } from './migrations/0002-holders.ts'
import { lookups } from './migrations/0003-lookups.ts'
import { collection } from './migrations/0004-collection.ts'
import { ledger } from './migrations/0005-ledger.ts'
import { chains } from './migrations/0006-chains.ts'
import { changes } from './migrations/0007-changes.ts'
import { stepAfter, thisStep } from './migrate.ts'
import { verifyAudit } from '../audit-verify.ts'
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

/** All of them, in order: a new one needs its line here. */
const steps = [first, holders, lookups, collection, ledger, chains, changes]

/** Records of an older version: the first `count` steps, with rows put in after the first. */
function older(count: number): string {
  const file = newFile()
  const database = new DatabaseSync(file)
  database.exec('create table meta (key text primary key, value text not null)')
  for (const [at, step] of steps.slice(0, count).entries()) {
    database.exec(
      step.statements.replaceAll('{id}', 'integer primary key autoincrement').replaceAll('{name}', 'text').replaceAll('{bytes}', 'blob'),
    )
    database.exec(`insert or replace into meta values ('schema', '${step.name}')`)
    if (at > 0) continue
    database.exec(`insert into repositories values (1, 'shop/api', 0), (2, 'shop/web', 0);
      insert into blobs values (3, 'sha256:c', 5, 'key', 9), (4, 'sha256:l', 5, 'other', 9);
      insert into blob_links values (1, 3, 9), (1, 4, 9);
      insert into manifests values (7, 'sha256:m', 'image', 't', null, null, '{}', null, 2, x'7b7d', 0);
      insert into manifest_links values (1, 7, 0, 'user:a'), (2, 7, 0, 'user:a');
      insert into manifest_blobs values (7, 0, 'sha256:c', 't', 'config'), (7, 1, 'sha256:l', 't', 'layer'), (7, 2, 'sha256:l', 't', 'layer');
      insert into tags values (1, 'latest', 7, 0, 'user:a');
      insert into users values (1, 'admin', 'hash', 0);
      insert into jobs values (1, 'examine', 'sha256:m', 'waiting', 0, 0, null, null, 0)`)
    if (count < 5) database.exec(`insert into audit_log values (1, 5, 'user:a', 'local', 'user.add', 's', 'done', '{}')`)
  }
  database.close()
  return file
}

test('the steps that are tested here are those that there are', () => {
  for (const [at, step] of steps.entries()) assert.equal(stepAfter(step.name), steps[at + 1]?.name)
  assert.equal(thisStep(), steps.at(-1)?.name)
  assert.equal(stepAfter('0999-later'), undefined)
})

for (const [at, step] of steps.entries()) {
  test(`from ${step.name}: what is there goes over`, async () => {
    const file = older(at + 1)
    const before = at + 1 < steps.length ? tablesOf(file) : undefined
    const fresh = newFile()
    await (await openSqliteRecords(fresh)).close()
    const records = await openSqliteRecords(file)
    assert.deepEqual(columnsOf(file), columnsOf(fresh))
    const { read } = records
    const tag = await read
      .selectFrom('tags')
      .innerJoin('manifests', 'manifests.id', 'tags.manifest_id')
      .select(['name', 'digest'])
      .execute()
    assert.deepEqual(
      tag.map((row) => ({ ...row })),
      [{ name: 'latest', digest: 'sha256:m' }],
    )
    if (at === 0) {
      const rows = await read.selectFrom('blob_holders').selectAll().orderBy('repository_id').orderBy('blob_digest').execute()
      const shown = rows.map((row) => [row.repository_id, row.blob_digest, row.manifest_id].join(' '))
      assert.deepEqual(shown, ['1 sha256:c 7', '1 sha256:l 7', '2 sha256:c 7', '2 sha256:l 7'])
    }
    const blobs = await read.selectFrom('blobs').select(['digest', 'object_key', 'verified_at', 'damaged_at']).orderBy('id').execute()
    assert.deepEqual(
      blobs.map((row) => [row.digest, row.object_key, row.damaged_at].join(' ')),
      ['sha256:c key ', 'sha256:l other '],
    )
    if (at < 3)
      assert.deepEqual(
        blobs.map((row) => row.verified_at),
        [9, 9],
      )
    assert.equal((await read.selectFrom('jobs').select('priority').executeTakeFirstOrThrow()).priority, 0)
    const queued = await read.selectFrom('jobs').select('subject').where('kind', '=', 'chains').execute()
    assert.equal(queued.length, step.name < chains.name ? 1 : 0, 'what was here before is gone over')
    assert.equal((await read.selectFrom('users').select('name').executeTakeFirstOrThrow()).name, 'admin')
    const verification = await verifyAudit(records)
    assert.equal(verification.broken, undefined)
    assert.equal(verification.rows, step.name < ledger.name ? 1 : 0)
    await records.close()
    if (before === undefined) assert.deepEqual(await copiesOf(file), [])
    else {
      const copy = `${file}.before-${steps[at + 1]?.name}`
      assert.deepEqual(await copiesOf(file), [copy])
      assert.deepEqual(tablesOf(copy), before, 'the copy is from before the first step')
      const database = new DatabaseSync(copy, { readOnly: true })
      assert.equal(database.prepare('select count(*) as n from manifest_blobs').get()?.['n'], 3)
      database.close()
    }
  })
}

test('the last two copies stay, and a start that upgrades nothing makes none', async () => {
  const file = older(3)
  const { writeFile } = await import('node:fs/promises')
  for (const step of ['0002-holders', '0003-lookups']) await writeFile(`${file}.before-${step}`, 'an earlier one')
  await (await openSqliteRecords(file)).close()
  const kept = ['0003-lookups', '0004-collection'].map((step) => `${file}.before-${step}`)
  assert.deepEqual(await copiesOf(file), kept)
  await (await openSqliteRecords(file)).close()
  assert.deepEqual(await copiesOf(file), kept)
})

test('where no copy can be made the records stay as they were', async () => {
  const file = older(2)
  const before = tablesOf(file)
  const { mkdir, rm } = await import('node:fs/promises')
  const inTheWay = `${file}.before-0003-lookups`
  await mkdir(join(inTheWay, 'folder'), { recursive: true })
  await assert.rejects(openSqliteRecords(file), { code: 'UNAVAILABLE', message: /could not be copied before their upgrade/ })
  assert.deepEqual(tablesOf(file), before)
  await rm(inTheWay, { recursive: true })
  await (await openSqliteRecords(file)).close()
  assert.equal((await copiesOf(file)).length, 1)
})

test('as they are: records of another version are refused, and nothing is changed', async () => {
  const file = older(2)
  const before = tablesOf(file)
  await assert.rejects(openSqliteRecords(file, { asTheyAre: true }), { code: 'UNAVAILABLE', message: /0002-holders/ })
  assert.deepEqual(tablesOf(file), before)
  assert.deepEqual(await copiesOf(file), [])
  const none = newFile()
  await assert.rejects(openSqliteRecords(none, { asTheyAre: true }), { code: 'UNAVAILABLE', message: /no records/ })
  assert.deepEqual(
    (await readdir(folder)).filter((name) => join(folder, name) === none),
    [],
  )
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

async function copiesOf(file: string): Promise<string[]> {
  return (await readdir(folder))
    .map((name) => join(folder, name))
    .filter((path) => path.startsWith(`${file}.`) && path.includes('before'))
    .toSorted()
}

/** Tables with their columns, and indexes: what was added later stands elsewhere in the text. */
function columnsOf(file: string): string[] {
  const database = new DatabaseSync(file, { readOnly: true })
  try {
    const names = database.prepare('select type, name from sqlite_master order by type, name').all()
    return names.flatMap(({ type, name }) => [
      `${type} ${name}`,
      ...database
        .prepare(`select name, type, "notnull" as required, pk from pragma_table_info(?) order by name`)
        .all(String(name))
        .map((row) => JSON.stringify(row)),
    ])
  } finally {
    database.close()
  }
}

function tablesOf(file: string): string[] {
  const database = new DatabaseSync(file)
  try {
    const rows = database.prepare('select type, name, sql from sqlite_master order by type, name').all()
    return rows.map((row) => `${row['type']} ${row['name']}: ${row['sql']}`)
  } finally {
    database.close()
  }
}
