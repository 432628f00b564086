import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, test } from 'node:test'
import { scratch } from '../../../../test/support/scratch.ts'
import { openSqliteRecords } from '../sqlite.ts'

const stack = new AsyncDisposableStack()
after(() => stack.disposeAsync())
const file = join(await scratch(stack, 'indexes'), 'records.sqlite')
await (await openSqliteRecords(file)).close()
const db = stack.adopt(new DatabaseSync(file, { readOnly: true }), (open) => open.close())

/** No repository is ever removed, so that nobody looks for what refers to it. */
const neverRemoved = new Set(['repositories'])

test('what refers to a row that may be removed is found by an index: else each removal walks the table', () => {
  const walked = namesOf("select name from sqlite_master where type = 'table'").flatMap((table) =>
    keysOf(table).flatMap(({ parent, column }) => (leadingColumns(table).has(column) ? [] : [`${table}.${column} of ${parent}`])),
  )
  assert.deepEqual(walked, [])
  assert.ok(keysOf('verdicts').length > 0)
})

test('a start that looks for other policies and advisories reads indexes alone', () => {
  for (const query of [
    `select manifest_id from verdicts where policy_revision != 'x' limit 1`,
    `select manifest_id from evidence where advisory_revision != 'x' or extractors != 'y' limit 1`,
  ]) {
    const plan = db.prepare(`explain query plan ${query}`).all() as { detail: string }[]
    assert.match(plan.map(({ detail }) => detail).join(), /^S\w+ \w+ USING COVERING INDEX [^,]*$/, query)
  }
})

test('a base, and what is built on one, are found by an index of chains alone', () => {
  for (const query of [
    `select depth from image_chains where manifest_id = 1 and whole = 0 order by depth desc limit 1`,
    `select manifest_id from image_chains where chain = 'x' and whole = 1`,
    `select manifest_id from image_chains where chain = 'x' and whole = 0 and manifest_id >= 5 order by manifest_id limit 9`,
  ]) {
    const plan = db.prepare(`explain query plan ${query}`).all() as { detail: string }[]
    assert.match(plan.map(({ detail }) => detail).join(), /^SEARCH image_chains USING (COVERING )?INDEX [^,]*$/, query)
  }
})

test('what a change of advisories touches is found by indexes alone', () => {
  for (const query of [
    `select distinct manifest_id from image_packages where package_version_id in (1, 2) and manifest_id > 0 limit 9`,
    `select distinct manifest_id from image_packages where package_version_id in (1) and manifest_id > 0 order by manifest_id limit 9`,
    `select manifest_id from rematches where whole = 0 order by rank, manifest_id limit 9`,
    `select distinct manifest_id from verdicts where stale = 1 and manifest_id > 0 order by manifest_id limit 9`,
    `select manifest_id from evidence where extractors < 'x' and (extractors, manifest_id) > ('', 0) order by extractors, manifest_id limit 9`,
  ]) {
    const plan = db.prepare(`explain query plan ${query}`).all() as { detail: string }[]
    assert.match(plan.map(({ detail }) => detail).join(), /^SEARCH \w+ USING COVERING INDEX /, query)
  }
})

function namesOf(query: string): string[] {
  return (db.prepare(query).all() as { name: string }[]).map(({ name }) => name)
}

function keysOf(table: string): { parent: string; column: string }[] {
  const keys = db.prepare(`select "table" as parent, "from" as column from pragma_foreign_key_list(?)`).all(table)
  return (keys as { parent: string; column: string }[]).filter(({ parent }) => !neverRemoved.has(parent))
}

/** Of each index, those of primary keys and of unique columns among them. */
function leadingColumns(table: string): Set<string> {
  const names = (db.prepare('select name from pragma_index_list(?)').all(table) as { name: string }[]).map(({ name }) => name)
  return new Set(
    names.flatMap((name) =>
      (db.prepare('select name from pragma_index_info(?) where seqno = 0').all(name) as { name: string }[]).map((row) => row.name),
    ),
  )
}
