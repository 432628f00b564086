// What news of flaws costs over an estate of so many images: `node bench/estate.ts [IMAGES]` (10000). By rows written directly, and from
// there on the server's own parts: an import, the worker, the records in SQLite.

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { importAdvisories } from '../src/advisories/import.ts'
import { openHouse, type House } from '../src/flow/house.ts'
import { extractorRevision } from '../src/inventory/extractors.ts'
import { policies } from '../src/judge/policy.ts'
import { createLog } from '../src/kit/log.ts'
import { loadSettings } from '../src/kit/settings/settings.ts'
import { openRecords } from '../src/store/records/open.ts'
import { common, generateEstate, ownName } from './estate/generate.ts'

const images = Number(process.argv[2] ?? 10_000)
const folder = await mkdtemp(join(tmpdir(), 'lazaret-estate-'))
try {
  await run()
} finally {
  await rm(folder, { recursive: true, force: true })
}

async function run(): Promise<void> {
  await mkdir(join(folder, 'data'))
  const first = await bring([flaw('CVE-2027-0', 'npm', 'nobody-has-this'), flaw('CVE-2027-00', 'Debian:12', 'nobody-has-that')])
  await (await openRecords(join(folder, 'data'), undefined)).close()
  const began = Date.now()
  const rows = generateEstate(join(folder, 'data'), {
    images,
    advisoryRevision: first,
    extractors: extractorRevision,
    policy: policies.balanced,
  })
  print(`${images} images, ${rows} rows of packages, written in ${seconds(Date.now() - began)}`)
  const settings = loadSettings({
    env: { LAZARET_DATA: join(folder, 'data'), LAZARET_OFFLINE: 'true', LAZARET_ADMIN_PASSWORD: 'of-this-bench' },
    cwd: folder,
  })
  const house = await openHouse(settings, createLog({ level: 'error', write: (line) => void process.stderr.write(line) }))
  try {
    await house.start()
    await done(house, first, 0)
    await figure(house, 'one advisory, one image', [flaw('CVE-2027-1', 'npm', ownName(7))], 1)
    await figure(house, 'the same, once more', [flaw('CVE-2027-2', 'npm', ownName(8))], 1)
    const many = Array.from({ length: 1000 }, (_, at) => flaw(`CVE-2027-${1000 + at}`, 'npm', ownName(at * Math.floor(images / 1000) + 1)))
    await figure(house, '1,000 advisories, 1,000 images', many, 1000)
    await figure(house, 'one advisory that every image holds', [flaw('CVE-2027-3', 'Debian:12', common)], images)
  } finally {
    await house.close()
  }
}

async function figure(house: House, what: string, records: object[], wanted: number): Promise<void> {
  const importing = Date.now()
  const revision = await bring(records)
  const imported = performance.now()
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  await house.advisoryWatch.look()
  const inUse = inUseDone(house, revision)
  const change = await done(house, revision, wanted)
  const took = performance.now() - imported
  delay.disable()
  const used = wanted === images ? `; those in use after ${seconds(await inUse)}` : ''
  print(
    `${what}: import ${seconds(imported + performance.timeOrigin - importing)}, then ${seconds(took)} until ${change.moved} verdicts stood${used};`,
  )
  print(`  the event loop was held for ${(delay.percentile(99) / 1e6).toFixed(1)} ms at p99, ${(delay.max / 1e6).toFixed(1)} ms at most`)
}

/** Out: ms until no image in use waits any more. */
async function inUseDone(house: House, revision: string): Promise<number> {
  const began = performance.now()
  for (;;) {
    const estate = await house.records.read.selectFrom('advisory_estate').select(['revision', 'moving']).executeTakeFirst()
    const waits = await house.records.read
      .selectFrom('rematches')
      .select('manifest_id')
      .where('whole', '=', 0)
      .where('rank', '=', 0)
      .limit(1)
      .executeTakeFirst()
    if (estate?.revision === revision && estate.moving === null && waits === undefined) return performance.now() - began
    await sleep(5)
  }
}

async function done(house: House, revision: string, wanted: number): Promise<{ moved: number }> {
  for (;;) {
    const row = await house.records.read.selectFrom('advisory_changes').selectAll().where('to_revision', '=', revision).executeTakeFirst()
    if (row?.state === 'done') {
      if (row.images_moved !== wanted) throw new Error(`${row.images_moved} images moved, not ${wanted}`)
      return { moved: row.images_moved }
    }
    await sleep(1)
  }
}

async function bring(records: object[]): Promise<string> {
  const path = join(folder, 'news.jsonl')
  await writeFile(path, records.map((record) => `${JSON.stringify(record)}\n`).join(''))
  const coverage = ['npm', 'Debian:12'].map((ecosystem) => ({
    ecosystem,
    depth: 'whole' as const,
    asOf: new Date().toISOString(),
    note: 'bench',
  }))
  return (await importAdvisories([path], join(folder, 'data'), { coverage })).revision
}

function flaw(id: string, ecosystem: string, name: string): object {
  return {
    schema_version: '1.7.0',
    id,
    modified: new Date().toISOString(),
    severity: [{ type: 'CVSS_V3', score: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H' }],
    affected: [{ package: { ecosystem, name }, ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed: '9.0.0' }] }] }],
  }
}

function seconds(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}
