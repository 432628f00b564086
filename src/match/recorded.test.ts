// What the OSV API answered to recorded questions must be among our findings for every record that the data holds, by the
// way that data goes: files, import, database, match. What we find besides must have a reason.
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { zstdDecompressSync } from 'node:zlib'
import { type OpenAdvisories, openAdvisories } from '../advisories/database.ts'
import { importAdvisories, type ImportReport } from '../advisories/import.ts'
import type { Finding } from '../model/advisory.ts'
import { familyOf } from '../versions/ecosystem.ts'
import { matchPackageVersion } from './match.ts'
import { sharedData } from '../../test/support/shared.ts'

interface Recorded {
  query: { package?: { ecosystem?: string; name?: string }; version?: string }
  ids: string[]
  suspect?: unknown
  /** The newest record among all answers of that recording: how old the recording is at least. */
  batch_latest_modified: string
  ids_only_in_older_recordings?: string[]
}

interface Kept {
  modified?: string
  published?: string
  affected?: { package?: { name?: string; ecosystem?: string } }[]
}

const shared = sharedData()
const absent = existsSync(shared) ? false : 'left out: the shared advisories and recorded answers are not there'
const folder = absent === false ? mkdtempSync(join(tmpdir(), 'lazaret-recorded-')) : ''
const files = absent === false ? readdirSync(join(shared, 'advisories')).filter((name) => name.endsWith('.osv.jsonl.zst')) : []

/** Records that are held here and that no finding of ours can be about. */
const notAsked = new Map([
  ['Debian', 'the question names no release, and one release never speaks for another'],
  ['GIT', 'the question names a commit or a tag, and records here speak of packages'],
])

/** Copies of records that were older than the answers, and say what they no longer did. */
const staleCopies = new Map([
  ['GHSA-crjg-w57m-rqqf', 'a copy of 2024-07-22'],
  ['GHSA-mmwx-rj87-vfgr', 'a copy of 2024-07-22'],
])

let report: ImportReport | undefined
let advisories: OpenAdvisories | undefined

before(async () => {
  if (absent !== false) return
  report = await importAdvisories(
    files.map((file) => join(shared, 'advisories', file)),
    folder,
    { bundled: false },
  )
  advisories = openAdvisories(folder)
})
after(() => {
  advisories?.close()
  if (folder !== '') rmSync(folder, { recursive: true, force: true })
})

test('every record of the OSV files is read, or named as left out', { skip: absent }, () => {
  const manifest = JSON.parse(readFileSync(join(shared, 'advisories/MANIFEST.json'), 'utf8')) as { file: string; records?: unknown }[]
  assert.ok(files.length >= 14, `only ${files.length} files`)
  for (const name of files) {
    const file = report?.files.find(({ path }) => path.endsWith(`/${name}`))
    const dropped = file?.dropped.reduce((sum, { count }) => sum + count, 0) ?? 0
    const { records } = manifest.find((entry) => entry.file === name) ?? {}
    assert.equal((file?.read ?? 0) + dropped, records, name)
    assert.equal((file?.added ?? 0) + (file?.replaced ?? 0) + (file?.unchanged ?? 0) + (file?.kept ?? 0), file?.read, name)
    // Only the fixtures of others hold broken records: templates, and one without a start.
    assert.equal(dropped, name.startsWith('osv-fixtures-misc') ? 5 : 0, name)
  }
})

test('recorded answers of the OSV API are among the findings, and each finding besides has a reason', { skip: absent }, (t) => {
  const kept = newestOfEach()
  const counts = new Map<string, Count>()
  const missing: string[] = []
  const unexplained: string[] = []
  for (const { ecosystem, name, version, recorded } of questions()) {
    const count = countOf(counts, familyOf(ecosystem))
    const findings = matchPackageVersion({ ecosystem, name, version }, advisories!)
    const found = idsOf(findings.filter(({ state }) => state === 'affected'))
    const held = recorded.ids.filter((id) => kept.has(id))
    count.questions++
    count.answers += recorded.ids.length
    count.held += held.length
    for (const id of held) {
      if (found.has(id)) count.found++
      else if (notAsked.has(ecosystem)) count.notAsked++
      else missing.push(`${id} in ${ecosystem} ${name} ${version}`)
    }
    for (const id of [...idsOf(findings)].filter((other) => !recorded.ids.includes(other))) {
      count.extra++
      if (reasonFor(id, kept.get(id) ?? {}, recorded) === undefined) unexplained.push(`${id} in ${ecosystem} ${name} ${version}`)
    }
  }
  for (const [family, count] of counts) t.diagnostic(`${family}: ${JSON.stringify(count)}`)
  assert.deepEqual(missing, [])
  assert.deepEqual(unexplained, [])
  const sum = (key: keyof Count): number => [...counts.values()].reduce((all, count) => all + count[key], 0)
  assert.ok(sum('questions') >= 790 && sum('found') >= 395, `only ${sum('questions')} questions, ${sum('found')} answers found`)
  assert.ok(sum('notAsked') <= 3)
})

interface Count {
  questions: number
  answers: number
  /** Of the answers, those about records in the data. */
  held: number
  found: number
  notAsked: number
  extra: number
}

function countOf(counts: Map<string, Count>, family: string): Count {
  const count = counts.get(family) ?? { questions: 0, answers: 0, held: 0, found: 0, notAsked: 0, extra: 0 }
  counts.set(family, count)
  return count
}

function idsOf(findings: readonly Finding[]): Set<string> {
  return new Set(findings.flatMap(({ sources }) => sources.map(({ id }) => id)))
}

function reasonFor(id: string, record: Kept, recorded: Recorded): string | undefined {
  const recordedAt = recorded.batch_latest_modified
  if ((record.modified ?? '') > recordedAt) return 'a newer advisory'
  if (recorded.ids_only_in_older_recordings?.includes(id) === true) return 'an older recording has it'
  // The files of Go's database carry no dates; they were taken on 2026-08-21, after every recording.
  if (record.modified?.startsWith('0001') === true && id.startsWith('GO-2026-')) return 'a newer advisory'
  return staleCopies.get(id)
}

function newestOfEach(): Map<string, Kept> {
  const newest = new Map<string, Kept>()
  for (const file of files) {
    for (const record of linesOf(`advisories/${file}`) as (Kept & { id: string })[])
      if ((newest.get(record.id)?.modified ?? '') <= (record.modified ?? '')) newest.set(record.id, record)
  }
  return newest
}

/** Those with a package and a version. */
function questions(): { ecosystem: string; name: string; version: string; recorded: Recorded }[] {
  return (linesOf('groundtruth/osv-api.jsonl.zst') as Recorded[]).flatMap((recorded) => {
    const { ecosystem, name } = recorded.query.package ?? {}
    const { version } = recorded.query
    if (recorded.suspect !== undefined || ecosystem === undefined || name === undefined || version === undefined) return []
    return [{ ecosystem, name, version, recorded }]
  })
}

function linesOf(path: string): unknown[] {
  return zstdDecompressSync(readFileSync(join(shared, path)))
    .toString()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as unknown)
}
