// A database of Trivy, schema 2, from records in OSV form: languages alone. It is a bbolt file, for which there is no writer but
// Go's: bolt/ is a program of a few lines. github.com/aquasecurity/trivy-db, pkg/db and pkg/types.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { affectedBy, type OsvRecord } from './records.ts'

/** By the ecosystem's name in OSV. */
const worlds: Record<string, string> = {
  npm: 'npm',
  PyPI: 'pip',
  Maven: 'maven',
  RubyGems: 'rubygems',
  Go: 'go',
  'crates.io': 'cargo',
  Packagist: 'composer',
  NuGet: 'nuget',
}

/** In: Trivy's cache folder, and the records. Needs Go. */
export async function writeTrivyDatabase(cache: string, records: ReadonlyMap<string, OsvRecord>): Promise<void> {
  const folder = join(cache, 'db')
  await mkdir(folder, { recursive: true })
  const source = join(import.meta.dirname, 'bolt')
  const child = spawn('go', ['run', '-C', source, '.', join(folder, 'trivy.db')], { stdio: ['pipe', 'ignore', 'inherit'] })
  const [[code]] = await Promise.all([
    once(child, 'close') as Promise<[number | null]>,
    pipeline(Readable.from(linesOf(records.values())), child.stdin),
  ])
  if (code !== 0) throw new Error(`writing Trivy's database ended with ${code ?? 'a signal'}`)
  const times = { NextUpdate: '2099-01-01T00:00:00Z', UpdatedAt: new Date().toISOString(), DownloadedAt: new Date().toISOString() }
  await writeFile(join(folder, 'metadata.json'), JSON.stringify({ Version: 2, ...times }))
}

function* linesOf(records: Iterable<OsvRecord>): Generator<string> {
  const line = (buckets: string[], key: string, value: object) => `${JSON.stringify({ in: buckets, key, value })}\n`
  const bucketOf = (world: string) => `${world}::OSV`
  for (const world of Object.values(worlds))
    yield line(['data-source'], bucketOf(world), { ID: 'osv', Name: 'OSV', URL: 'https://osv.dev' })
  for (const record of records) {
    if (record.withdrawn !== undefined) continue
    yield line(['vulnerability'], record.id, { Title: record.id, VendorSeverity: { osv: 3 } })
    // A record that speaks of one package in two parts speaks of it once.
    const byPackage = Map.groupBy(affectedBy(record), ({ ecosystem, name }) => `${ecosystem} ${name}`)
    for (const same of byPackage.values()) {
      const [{ ecosystem, name } = { ecosystem: '', name: '' }] = same
      const world = worlds[ecosystem]
      const spans = same.flatMap((each) => each.spans.map((span) => span.replaceAll(',', ', ')))
      if (world !== undefined) yield line([bucketOf(world), name], record.id, { VulnerableVersions: spans })
    }
  }
}
