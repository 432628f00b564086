import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { zstdCompressSync } from 'node:zlib'
import { LazaretError } from '../kit/errors.ts'
import { openAdvisories } from './database.ts'
import { importAdvisories } from './import.ts'
import { ask, bring, fixes, importOptions, osvRecord, temporaryFolder, writeLines } from './test-support.ts'

test('whatever an import throws, the revision before stays in force', async (t) => {
  const folder = temporaryFolder(t)
  await bring(folder, [osvRecord('A-1', 'npm', 'a', '1')])
  const before = readFileSync(join(folder, 'advisories/current'), 'utf8')
  const good = writeLines(folder, 'good.jsonl', [osvRecord('A-2', 'npm', 'a', '2')])
  const cut = join(folder, 'cut.zst')
  writeFileSync(cut, zstdCompressSync(Buffer.from(JSON.stringify(osvRecord('A-3', 'npm', 'a', '3')))))
  truncateSync(cut, 60)
  const none = writeLines(folder, 'none.txt', ['hello'])
  const fails: [string[], string][] = [
    [[good, cut], 'UNREADABLE'],
    [[good, join(folder, 'missing')], 'INPUT_INVALID'],
    [[none], 'INPUT_INVALID'],
    [[], 'INPUT_INVALID'],
  ]
  for (const [paths, code] of fails)
    await assert.rejects(
      importAdvisories(paths, folder, importOptions),
      (error: unknown) => error instanceof LazaretError && error.code === code,
    )
  await assert.rejects(
    importAdvisories([good, good], folder, {
      ...importOptions,
      asOf: () => {
        throw new Error('midway')
      },
    }),
    /midway/,
  )
  assert.equal(readFileSync(join(folder, 'advisories/current'), 'utf8'), before)
  assert.deepEqual(fixes(folder, 'npm', 'a'), [['A-1', ['1']]])
  assert.deepEqual(
    readdirSync(join(folder, 'advisories')).sort(),
    ['000001.json', '000001.sqlite', 'current', 'import.lock'],
    'nothing is left behind',
  )
})

test('an import that is killed leaves the old revision, and the next one clears up', async (t) => {
  const folder = temporaryFolder(t)
  await bring(folder, [osvRecord('A-1', 'npm', 'a', '1')])
  const path = writeLines(folder, 'next.jsonl', [osvRecord('A-2', 'npm', 'a', '2')])
  const script = `
    import { importAdvisories } from ${JSON.stringify(join(import.meta.dirname, 'import.ts'))}
    let files = 0
    const asOf = () => (++files === 2 ? process.kill(process.pid, 'SIGKILL') : undefined)
    await importAdvisories(${JSON.stringify([path, writeLines(folder, 'more.jsonl', [osvRecord('A-3', 'npm', 'a', '3')])])}, ${JSON.stringify(folder)}, { bundled: false, asOf })`
  const killed = spawnSync(process.execPath, ['--input-type=module', '-e', script])
  assert.equal(killed.signal, 'SIGKILL', killed.stderr.toString())
  assert.ok(readdirSync(join(folder, 'advisories')).some((name) => name.startsWith('work-')))
  assert.deepEqual(fixes(folder, 'npm', 'a'), [['A-1', ['1']]])
  await importAdvisories([path], folder, importOptions)
  assert.deepEqual(fixes(folder, 'npm', 'a'), [
    ['A-1', ['1']],
    ['A-2', ['2']],
  ])
  assert.deepEqual(
    readdirSync(join(folder, 'advisories')).filter((name) => name.startsWith('work-')),
    [],
  )
})

test('a reader keeps its revision through swaps, even when the file is gone; only the last five are kept', async (t) => {
  const folder = temporaryFolder(t)
  await bring(folder, [osvRecord('A-1', 'npm', 'a', '1')])
  const early = openAdvisories(folder)
  t.after(() => early.close())
  let running = true
  const seen = new Set<string>()
  const reading = (async () => {
    for (let turn = 0; running; turn++) {
      ask(folder, (advisories) => seen.add(`${advisories.revision} ${advisories.about('npm', 'a').length}`))
      early.about('npm', `none-${turn}`)
      await new Promise((resolve) => setImmediate(resolve))
    }
  })()
  for (let number = 2; number <= 8; number++) await bring(folder, [osvRecord(`A-${number}`, 'npm', 'a', '1')])
  running = false
  await reading
  assert.deepEqual(
    [...seen].filter((line) => !/^00000(\d)-20260101 \1$/.test(line)),
    [],
    'each open saw one whole revision',
  )
  assert.equal(existsSync(join(folder, 'advisories/000001.sqlite')), false)
  assert.equal(early.about('npm', 'a').length, 1)
  assert.deepEqual(
    readdirSync(join(folder, 'advisories'))
      .filter((name) => name.endsWith('.sqlite'))
      .sort(),
    ['000004.sqlite', '000005.sqlite', '000006.sqlite', '000007.sqlite', '000008.sqlite'],
  )
})

test('what is damaged answers with an error, never with silence', async (t) => {
  const folder = temporaryFolder(t)
  await bring(folder, [osvRecord('A-1', 'npm', 'a', '1')])
  const unavailable = (error: unknown): boolean => error instanceof LazaretError && error.code === 'UNAVAILABLE'
  assert.throws(() => openAdvisories(temporaryFolder(t)), unavailable, 'none is there')
  const file = join(folder, 'advisories/000001.sqlite')
  const bytes = readFileSync(file)
  writeFileSync(file, Buffer.concat([bytes.subarray(0, 8192), Buffer.alloc(bytes.length - 8192, 0xaa)]))
  assert.throws(() => ask(folder, (advisories) => advisories.about('npm', 'a')), unavailable, 'pages are garbage')
  truncateSync(file, 4096)
  assert.throws(() => openAdvisories(folder), unavailable, 'cut short')
  writeFileSync(file, Buffer.alloc(bytes.length))
  assert.throws(() => openAdvisories(folder), unavailable, 'zeros')
  for (const pointer of ['', '{}', '{"counter":1,"revision":"x","sizeBytes":1,"file":"../../etc/passwd"}', '[1']) {
    writeFileSync(join(folder, 'advisories/current'), pointer)
    assert.throws(() => openAdvisories(folder), unavailable, pointer)
  }
})

test('one import at a time; what brings nothing new makes no revision', async (t) => {
  const folder = temporaryFolder(t)
  const first = await bring(folder, [osvRecord('A-1', 'npm', 'a', '1')])
  const again = await bring(folder, [osvRecord('A-1', 'npm', 'a', '1')])
  assert.deepEqual([again.changed, again.revision], [false, first.revision])
  const other = new DatabaseSync(join(folder, 'advisories/import.lock'))
  other.exec('BEGIN EXCLUSIVE')
  await assert.rejects(
    bring(folder, [osvRecord('A-2', 'npm', 'a', '1')]),
    (error: unknown) => error instanceof LazaretError && error.code === 'CONFLICT',
  )
  other.close()
  assert.equal((await bring(folder, [osvRecord('A-2', 'npm', 'a', '1')])).changed, true)
})
