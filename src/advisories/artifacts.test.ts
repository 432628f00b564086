import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { openAdvisories } from './database.ts'
import { exportAdvisories } from './export.ts'
import { importAdvisories } from './import.ts'
import { statusOf } from './status.ts'
import { now, osvRecord, temporaryFolder, writeLines } from './test-support.ts'

const lang = 'ce1edb914c94ebc388f086c6827e8bdeec71ac2a'
const io = '815893df5f31da2ece4040fe0a12fd44b577afaf'
const lines = ['# as of 2026-10-31', `${lang} commons-lang commons-lang 2.6`, `${io.toUpperCase()}\tcommons-io\tcommons-io\t2.6`]
const options = { now, bundled: false }

test('hashes of artifacts are imported, exported, imported again, and have an age', async (t) => {
  const folder = temporaryFolder(t)
  const set = writeLines(folder, 'jars.txt', [...lines, `${io} org.example copy 2.6`, 'd41d commons x 1', `${lang} a b`])
  const record = writeLines(folder, 'a.jsonl', [osvRecord('GHSA-1', 'Maven', 'commons-lang:commons-lang', '3')])
  const report = await importAdvisories([set, record], join(folder, 'first'), options)
  assert.deepEqual(
    report.files.map(({ forms, artifacts, dropped }) => [forms, artifacts, dropped.map(({ count }) => count)]),
    [
      [['artifacts'], 3, [2]],
      [['osv'], 0, []],
    ],
  )
  const archive = join(folder, 'export.jsonl.zst')
  await exportAdvisories(join(folder, 'first'), archive)
  await importAdvisories([archive], join(folder, 'second'), options)
  for (const data of ['first', 'second']) {
    const advisories = openAdvisories(join(folder, data))
    t.after(() => advisories.close())
    assert.deepEqual(advisories.artifactsBy(lang), [{ name: 'commons-lang:commons-lang', version: '2.6' }])
    assert.deepEqual(
      advisories.artifactsBy(io).map(({ name }) => name),
      ['commons-io:commons-io', 'org.example:copy'],
    )
    for (const none of ['0'.repeat(40), '', lang.slice(1), "' or 1=1"]) assert.deepEqual(advisories.artifactsBy(none), [])
    assert.deepEqual(statusOf(join(folder, data), now).artifacts, { count: 3, asOf: '2026-10-31T00:00:00Z', ageDays: 24 })
  }
})

test('the same hashes again are nothing new, and an older day takes nothing back', async (t) => {
  const folder = temporaryFolder(t)
  const data = join(folder, 'data')
  const set = writeLines(folder, 'jars.txt', lines)
  assert.equal((await importAdvisories([set], data, options)).changed, true)
  assert.equal((await importAdvisories([set], data, options)).changed, false)
  const older = writeLines(folder, 'older.txt', ['# as of 2025-01-01', `${io} commons-io commons-io 2.6`])
  assert.equal((await importAdvisories([older], data, options)).changed, false)
  assert.equal(statusOf(data, now).artifacts?.asOf, '2026-10-31T00:00:00Z')
})

test('a database without any knows none', async (t) => {
  const folder = temporaryFolder(t)
  await importAdvisories([writeLines(folder, 'a.jsonl', [osvRecord('GHSA-1', 'Maven', 'g:a', '3')])], join(folder, 'data'), options)
  const advisories = openAdvisories(join(folder, 'data'))
  t.after(() => advisories.close())
  assert.deepEqual(advisories.artifactsBy(lang), [])
  assert.equal(advisories.status().artifacts, undefined)
})
