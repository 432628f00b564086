// How fast packages are matched: every package version that the recorded answers of the OSV API ask for, against all OSV
// files of the shared data, once as a cold database and once as a warm one; and each distinct one once, however many
// images hold it. Run: sh bin/run bench/match.ts [FOLDER of advisory files]
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { zstdDecompressSync } from 'node:zlib'
import { openAdvisories } from '../src/advisories/database.ts'
import { importAdvisories } from '../src/advisories/import.ts'
import { matchPackageVersion } from '../src/match/match.ts'
import type { PackageVersion } from '../src/model/package.ts'

const shared = process.argv[2] ?? join(import.meta.dirname, '../../shared/data')
const rounds = 5
const folder = mkdtempSync(join(tmpdir(), 'lazaret-bench-'))
try {
  await benchImport()
  const subjects = questions()
  benchMatch('as recorded', subjects)
  // Images hold the same few thousand versions over and over: 100 images of these packages are matched once each.
  benchMatch('distinct of 100 images with them', distinctOf(Array.from({ length: 100 }, () => subjects).flat()))
} finally {
  rmSync(folder, { recursive: true, force: true })
}

async function benchImport(): Promise<void> {
  const advisories = join(shared, 'advisories')
  const files = readdirSync(advisories).filter((name) => name.endsWith('.osv.jsonl.zst') || name === 'epss.csv.zst')
  const start = performance.now()
  const { files: reports } = await importAdvisories(
    files.map((file) => join(advisories, file)),
    folder,
    { bundled: false },
  )
  const records = reports.reduce((sum, { read }) => sum + read, 0)
  const probabilities = reports.reduce((sum, { probabilities: count }) => sum + count, 0)
  console.log(
    `import: ${records} records and ${probabilities} probabilities in ${(performance.now() - start).toFixed(0)} ms, ${mb(process.memoryUsage().rss)} MB resident`,
  )
}

function benchMatch(name: string, subjects: readonly PackageVersion[]): void {
  const cold: number[] = []
  const warm: number[] = []
  let findings = 0
  for (let round = 0; round < rounds; round++) {
    const advisories = openAdvisories(folder)
    try {
      const run = (): number => {
        const start = performance.now()
        findings = subjects.reduce((sum, subject) => sum + matchPackageVersion(subject, advisories).length, 0)
        return performance.now() - start
      }
      cold.push(run())
      warm.push(run())
    } finally {
      advisories.close()
    }
  }
  const each = (times: number[]): string => {
    const median = times.toSorted((a, b) => a - b)[Math.floor(rounds / 2)] ?? 0
    return `${median.toFixed(0)} ms (${((median * 1000) / subjects.length).toFixed(0)} µs each)`
  }
  console.log(
    `${name}: ${subjects.length} package versions, ${findings} findings: cold ${each(cold)}, warm ${each(warm)}; median of ${rounds}`,
  )
}

function distinctOf(subjects: readonly PackageVersion[]): PackageVersion[] {
  return [...new Map(subjects.map((subject) => [JSON.stringify(subject), subject])).values()]
}

function questions(): PackageVersion[] {
  const lines = zstdDecompressSync(readFileSync(join(shared, 'groundtruth/osv-api.jsonl.zst')))
    .toString()
    .split('\n')
  return lines.filter(Boolean).flatMap((line) => {
    const { query } = JSON.parse(line) as { query: { package?: { ecosystem?: string; name?: string }; version?: string } }
    const { ecosystem, name } = query.package ?? {}
    return ecosystem === undefined || name === undefined || query.version === undefined ? [] : [{ ecosystem, name, version: query.version }]
  })
}

function mb(bytes: number): string {
  return (bytes / 1e6).toFixed(0)
}
