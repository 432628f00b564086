import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { copyFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { zstdDecompressSync } from 'node:zlib'
import { LazaretError } from '../../kit/errors.ts'
import { exportAdvisories } from '../export.ts'
import { currentRevision, revisionPath } from '../revisions.ts'
import { ask, fixes, osvRecord, temporaryFolder } from '../test-support.ts'
import { headBytes } from './form.ts'
import { parseTrustedKey, trustedKeyOf } from './keys.ts'
import { isSignedExport } from './read.ts'
import { takeSigned, type TakeOptions } from './take.ts'
import { writeSigned } from './write.ts'

const pair = generateKeyPairSync('ed25519')
const trusted = [trustedKeyOf(pair.publicKey)]
const take = (path: string, folder: string, more: Partial<TakeOptions> = {}) =>
  takeSigned(path, folder, { trusted, bundled: false, ...more })

const flawed = { severity: [{ type: 'CVSS_V3', score: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H' }] }
const ours = [
  osvRecord('A-1', 'npm', 'a', '1.0.0', { aliases: ['CVE-2026-1'], ...flawed }),
  osvRecord('A-2', 'npm', 'b', '2.0.0', { modified: '2026-03-01T00:00:00Z' }),
  osvRecord('D-1', 'Debian:12', 'c', '3', { upstream: ['CVE-2026-1'] }),
]

async function made(t: TestContext): Promise<{ folder: string; file: string; exporter: string }> {
  const folder = temporaryFolder(t)
  const exporter = join(folder, 'exporter')
  await bringTo(exporter, folder, ours)
  const file = join(folder, 'export.zst')
  await writeSigned(exporter, file, pair)
  return { folder, file, exporter }
}

async function bringTo(data: string, folder: string, records: readonly unknown[]): Promise<void> {
  const { importAdvisories } = await import('../import.ts')
  const path = join(folder, 'records.jsonl')
  writeFileSync(path, records.map((record) => `${JSON.stringify(record)}\n`).join(''))
  await importAdvisories([path], data, {
    now: new Date('2026-11-24T12:00:00Z'),
    bundled: false,
    inferCoverage: false,
    asOf: () => '2026-10-01T00:00:00Z',
  })
}

/** Every fact as a line, in an order that does not depend on which came first. */
async function factsOf(data: string): Promise<string[]> {
  const path = join(data, 'facts.zst')
  await exportAdvisories(data, path)
  const [, ...lines] = zstdDecompressSync(readFileSync(path)).toString().trim().split('\n')
  return lines.toSorted()
}

const rejects = (promise: Promise<unknown>, code: string, message: RegExp) =>
  assert.rejects(promise, (error: unknown) => {
    assert.ok(error instanceof LazaretError, String(error))
    assert.equal(error.code, code, error.message)
    assert.match(error.message, message)
    return true
  })

test('what is imported says what was exported and nothing else, and knows what that changed', async (t) => {
  const { folder, file, exporter } = await made(t)
  const data = join(folder, 'importer')
  await bringTo(data, folder, [
    ours[0],
    osvRecord('A-2', 'npm', 'b', '1.5.0', { modified: '2026-02-01T00:00:00Z' }),
    osvRecord('A-9', 'npm', 'gone', '9.0.0'),
  ])
  const before = currentRevision(data)?.revision ?? ''
  const report = await take(file, data)
  const [only] = report.files
  assert.deepEqual(
    [report.changed, only?.read, only?.added, only?.replaced, only?.unchanged, report.export?.removed, report.export?.signedBy],
    [true, 3, 1, 1, 1, 1, trusted[0]?.text],
  )
  assert.deepEqual(await factsOf(data), await factsOf(exporter))
  assert.deepEqual(fixes(data, 'npm', 'b'), [['A-2', ['2.0.0']]])
  assert.deepEqual(fixes(data, 'npm', 'gone'), [])
  const changed = ask(data, (advisories) => advisories.changedSince(before))
  assert.ok(Array.isArray(changed))
  assert.deepEqual(changed.map(({ name }) => name).toSorted(), ['b', 'c', 'gone'])
  const again = await take(file, data)
  assert.deepEqual([again.changed, again.revision], [false, report.revision], 'the same once more changes nothing')
  assert.ok(readdirSync(join(data, 'advisories')).every((name) => !name.startsWith('work-')))
})

test('a severity that is another changes the packages that rest on it', async (t) => {
  const { folder, file } = await made(t)
  const data = join(folder, 'importer')
  await bringTo(data, folder, [osvRecord('A-1', 'npm', 'a', '1.0.0', { aliases: ['CVE-2026-1'] }), ...ours.slice(1)])
  const before = currentRevision(data)?.revision ?? ''
  await take(file, data)
  const changed = ask(data, (advisories) => advisories.changedSince(before))
  assert.deepEqual(Array.isArray(changed) && changed.map(({ name }) => name).toSorted(), ['a', 'c'])
})

test('any zstd unpacks it, to the database as it was in force', async (t) => {
  const { file, exporter } = await made(t)
  const revision = currentRevision(exporter)
  assert.ok(revision !== undefined)
  const run = spawnSync('zstd', ['-dc', file], { maxBuffer: 64 * 1024 * 1024 })
  const unpacked = run.error === undefined ? run.stdout : zstdDecompressSync(readFileSync(file))
  assert.ok(unpacked.equals(readFileSync(revisionPath(exporter, revision))))
})

test('what is not signed by a trusted key is refused with what to do, or let in by name', async (t) => {
  const { folder, file } = await made(t)
  const data = join(folder, 'importer')
  const other = trustedKeyOf(generateKeyPairSync('ed25519').publicKey)
  await rejects(take(file, data, { trusted: [other] }), 'DENIED', /advisories\.trustedKeys, or bring it in with --allow-unsigned/)
  await rejects(take(file, data, { trusted: [] }), 'DENIED', /any of the 0 keys/)
  assert.equal(existsSync(join(data, 'advisories', 'current')), false)
  const report = await take(file, data, { trusted: [other], allowUnsigned: true })
  assert.deepEqual([report.changed, report.export?.signedBy], [true, undefined])
  assert.deepEqual(currentRevision(data)?.origin, { how: 'export', revision: report.export?.revision })
})

test('a file that was cut anywhere, or has a bit turned anywhere, changes nothing', async (t) => {
  const { folder, file } = await made(t)
  const data = join(folder, 'importer')
  await bringTo(data, folder, [osvRecord('A-9', 'npm', 'mine', '9.0.0')])
  const before = readFileSync(join(data, 'advisories/current'), 'utf8')
  const whole = readFileSync(file)
  const bad = join(folder, 'bad.zst')
  const start = headBytes + whole.readUInt32LE(4)
  for (const length of [5, headBytes, headBytes + 1, start - 1, start, start + 7, (start + whole.length) >> 1, whole.length - 1]) {
    writeFileSync(bad, whole.subarray(0, length))
    await assert.rejects(take(bad, data), LazaretError, `cut at ${length}`)
  }
  for (const at of [4, 5, headBytes, headBytes + 70, start - 20, start, start + 9, (start + whole.length) >> 1, whole.length - 1]) {
    const turned = Buffer.from(whole)
    turned[at] = (turned[at] ?? 0) ^ 1
    writeFileSync(bad, turned)
    await assert.rejects(take(bad, data), LazaretError, `turned at ${at}`)
  }
  writeFileSync(bad, Buffer.concat([whole, Buffer.from('more')]))
  await rejects(take(bad, data), 'UNREADABLE', /bytes after its envelope/)
  assert.equal(readFileSync(join(data, 'advisories/current'), 'utf8'), before)
})

test('one that goes back in time is refused by name of the source, and taken when told to', async (t) => {
  const { folder, file } = await made(t)
  const data = join(folder, 'importer')
  await bringTo(data, folder, [...ours, osvRecord('A-3', 'npm', 'd', '4.0.0', { modified: '2026-09-01T00:00:00Z' })])
  await rejects(take(file, data), 'CONFLICT', /older than what is in force: .*osv would go back from 2026-09-01 to 2026-03-01.*--older/)
  const report = await take(file, data, { older: true })
  assert.deepEqual([report.changed, report.export?.removed], [true, 1])
  assert.deepEqual(fixes(data, 'npm', 'd'), [])
})

test('only what begins so is taken for an export', async (t) => {
  const { folder, file } = await made(t)
  const other = join(folder, 'other')
  writeFileSync(other, '{}')
  copyFileSync(file, join(folder, 'copy.bin'))
  assert.deepEqual(
    await Promise.all([file, join(folder, 'copy.bin'), other, folder, join(folder, 'missing')].map((path) => isSignedExport(path))),
    [true, true, false, false, false],
  )
})

test('keys are read as they are shown', () => {
  const shown = trusted[0]?.text ?? ''
  const read = parseTrustedKey(shown)
  assert.deepEqual([read?.text, read?.id], [shown, trusted[0]?.id])
  for (const bad of ['', 'ed25519:', `${shown}=`, shown.slice(0, -2), shown.replace('ed25519', 'rsa'), `ed25519:${'A'.repeat(42)}!=`])
    assert.equal(parseTrustedKey(bad), undefined, bad)
})

test('thousands of packages that rest on a severity that moved are found in a moment', async (t) => {
  const folder = temporaryFolder(t)
  const [exporter, data] = [join(folder, 'exporter'), join(folder, 'importer')]
  const many = Array.from({ length: 6000 }, (_, at) =>
    osvRecord(`D-${at}`, 'Debian:12', `p${at}`, '3', { upstream: [`CVE-2026-${1000 + at}`] }),
  )
  await bringTo(data, folder, many)
  await bringTo(exporter, folder, many)
  const claims = many.map((_, at) => osvRecord(`A-${at}`, 'npm', `n${at}`, '1', { aliases: [`CVE-2026-${1000 + at}`], ...flawed }))
  await bringTo(exporter, folder, claims)
  const file = join(folder, 'export.zst')
  await writeSigned(exporter, file, pair)
  const before = currentRevision(data)?.revision ?? ''
  const started = process.cpuUsage()
  await take(file, data)
  const { user, system } = process.cpuUsage(started)
  assert.ok(user + system < 8_000_000, `${(user + system) / 1000} ms of a processor`)
  const changed = ask(data, (advisories) => advisories.changedSince(before))
  assert.equal(Array.isArray(changed) && changed.length, 12_000)
})
