/**
 * Makes data/advisories/ (the advisories that every Lazaret starts with) and NOTICE from a folder of public advisory data
 * with a MANIFEST.json (file, origin, commit_date, licence). A step of a release, not of a build.
 *
 *   node scripts/bundle-advisories.ts [FOLDER]        default: ../shared/data/advisories
 */
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { extract } from 'tar-stream'
import { type ImportReport, importAdvisories } from '../src/advisories/import.ts'
import { currentRevision, revisionPath } from '../src/advisories/revisions.ts'
import { statusOf } from '../src/advisories/status.ts'
import { compareDpkg } from '../src/versions/dpkg.ts'
import { bundleCoverage } from './bundle-coverage.ts'

const root = resolve(import.meta.dirname, '..')

/** In the order of reading: what comes later adds to what came before. The oldest list of a distribution first. */
const files = [
  'alpine-secdb-2020-06.jsonl.zst',
  'alpine-aports-secfixes.jsonl.zst',
  'debian-tracker-2023-04.tar.zst',
  'debian-changelog-cves.jsonl.zst',
  'debian-bookworm-security-versions.jsonl.zst',
  'wolfi-advisories-2025-05.jsonl.zst',
  'almalinux.osv.jsonl.zst',
  'bitnami.osv.jsonl.zst',
  'drupal.osv.jsonl.zst',
  'elixir-advisories.jsonl.zst',
  'friendsofphp.jsonl.zst',
  'ghsa-osv-export.osv.jsonl.zst',
  'ghsa-readfile.osv.jsonl.zst',
  'govulndb.osv.jsonl.zst',
  'haskell.osv.jsonl.zst',
  'kubernetes.osv.jsonl.zst',
  'nodejs-security-wg.jsonl.zst',
  'ocaml.osv.jsonl.zst',
  'psf.osv.jsonl.zst',
  'pypa.osv.jsonl.zst',
  'r.osv.jsonl.zst',
  'ruby-advisory-db.jsonl.zst',
  'rustsec.osv.jsonl.zst',
  'cisa-kev.json.zst',
]

interface Origin {
  file: string
  origin?: string
  commit_date?: string
  licence?: string
  note?: string
  branches?: Record<string, [string, string, unknown]>
}

await main(resolve(process.argv[2] ?? join(root, '../shared/data/advisories')))

async function main(folder: string): Promise<void> {
  const origins = readOrigins(folder)
  const work = mkdtempSync(join(tmpdir(), 'lazaret-bundle-'))
  try {
    const inputs = await prepareInputs(folder, work)
    const dates = new Map(inputs.map(({ path, file }) => [path, dateOf(origins.get(file))]))
    const report = await importAdvisories(
      inputs.map(({ path }) => path),
      work,
      { bundled: false, inferCoverage: false, coverage: bundleCoverage, asOf: (path) => dates.get(path) },
    )
    writeBundle(work, origins)
    writeFileSync(join(root, 'NOTICE'), noticeOf(origins))
    printReport(report)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

function readOrigins(folder: string): Map<string, Origin> {
  const manifest = JSON.parse(readFileSync(join(folder, 'MANIFEST.json'), 'utf8')) as Origin[]
  return new Map(manifest.filter(({ file }) => files.includes(file)).map((origin) => [origin.file, origin]))
}

/** The day that a file speaks of, for records that carry none. */
function dateOf(origin: Origin | undefined): string | undefined {
  const date = origin?.commit_date ?? Object.values(origin?.branches ?? {})[0]?.[1] ?? /(\d{4}-\d\d-\d\d)$/.exec(origin?.origin ?? '')?.[1]
  return date === undefined ? undefined : `${new Date(date).toISOString().slice(0, 19)}Z`
}

/** What the import understands as it is, and the two that first take another form. */
async function prepareInputs(folder: string, work: string): Promise<{ path: string; file: string }[]> {
  const inputs: { path: string; file: string }[] = []
  for (const file of files) {
    const path = join(folder, file)
    if (file.endsWith('.tar.zst')) for (const list of await debianLists(path, work)) inputs.push({ path: list, file })
    else if (file.startsWith('debian-bookworm-security-versions')) inputs.push({ path: securityUpdates(folder, work), file })
    else inputs.push({ path, file })
  }
  return inputs
}

async function debianLists(path: string, work: string): Promise<string[]> {
  const lists: string[] = []
  const archive = extract()
  archive.end(zstdDecompressSync(readFileSync(path)))
  for await (const entry of archive) {
    const match = /^data\/(DSA|DLA)\/list$/.exec(entry.header.name)
    if (match === null) {
      entry.resume()
      continue
    }
    const list = join(work, `debian-${match[1]}.list`)
    const chunks: Buffer[] = []
    for await (const chunk of entry) chunks.push(chunk as Buffer)
    writeFileSync(list, Buffer.concat(chunks))
    lists.push(list)
  }
  return lists
}

interface SecurityVersions {
  source: string
  bookworm_security: string[]
}

/**
 * Which flaws an upload to bookworm-security cured isn't in this data, but that versions before it lack a security update
 * is: one record per source, unless the changelogs name the flaws of that very version.
 */
function securityUpdates(folder: string, work: string): string {
  const lines = (file: string): unknown[] =>
    zstdDecompressSync(readFileSync(join(folder, file)))
      .toString()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown)
  const told = new Set(
    (lines('debian-changelog-cves.jsonl.zst') as { source: string; version: string }[]).map(
      ({ source, version }) => `${source} ${version}`,
    ),
  )
  const records = (lines('debian-bookworm-security-versions.jsonl.zst') as SecurityVersions[]).flatMap(({ source, bookworm_security }) => {
    const newest = bookworm_security.toSorted((a, b) => Number(compareDpkg(a, b))).at(-1)
    if (newest === undefined || told.has(`${source} ${newest}`)) return []
    const ranges = [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed: newest }] }]
    return [
      {
        id: `DEBIAN-12-SECURITY-UPDATE-${source}`,
        modified: '2026-11-22T00:00:00Z',
        affected: [{ package: { ecosystem: 'Debian:12', name: source }, ranges }],
        database_specific: { source: 'debian' },
      },
    ]
  })
  const path = join(work, 'bookworm-security.jsonl')
  writeFileSync(path, [{ lazaretAdvisories: 1 }, ...records].map((record) => `${JSON.stringify(record)}\n`).join(''))
  return path
}

function writeBundle(work: string, origins: Map<string, Origin>): void {
  const revision = currentRevision(work)
  if (revision === undefined) throw new Error('the import left no database')
  const database = readFileSync(revisionPath(work, revision))
  const packed = zstdCompressSync(database, {
    params: { [constants.ZSTD_c_compressionLevel]: 19, [constants.ZSTD_c_windowLog]: 25, [constants.ZSTD_c_checksumFlag]: 1 },
  })
  const { records, withdrawn, exploited, ecosystems, sources } = statusOf(work)
  const head = {
    sha256: createHash('sha256').update(packed).digest('hex'),
    file: 'snapshot.sqlite.zst',
    date: revision.date,
    sizeBytes: database.length,
    records,
    withdrawn,
    exploited,
    sources: sources.map(({ source, records: count, newest }) => ({ source, records: count, newest })),
    ecosystems: Object.fromEntries(ecosystems.map(({ ecosystem, records: count }) => [ecosystem, count])),
    coverage: bundleCoverage,
    origins: [...origins.values()].map(({ file, origin, licence, commit_date }) => ({ file, origin, licence, date: commit_date })),
  }
  const folder = join(root, 'data/advisories')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, head.file), packed)
  writeFileSync(join(folder, 'snapshot.json'), `${JSON.stringify(head, undefined, 2)}\n`)
  process.stdout.write(`${head.file}: ${packed.length} bytes packed, ${database.length} unpacked\n`)
}

function noticeOf(origins: Map<string, Origin>): string {
  const entries = [...origins.values()].map(({ file, origin, branches, licence, note }) => {
    const from =
      origin ??
      Object.entries(branches ?? {})
        .map(([branch, [commit]]) => `${branch}: ${commit}`)
        .join('\n    ')
    return `${file}\n    ${from}\n    licence: ${licence ?? 'of its origin'}${note === undefined || note === '' ? '' : `\n    ${note}`}\n`
  })
  return `Lazaret

data/advisories/ is made by scripts/bundle-advisories.ts from the public data below. Ids, aliases, dates, affected
versions and severities were taken over, and their form was changed; descriptions were left out.

GitHub Security Advisories and the PyPA, PSF and Go databases are licensed under CC-BY-4.0
(https://creativecommons.org/licenses/by/4.0/); the changes made are those named above.
The catalog of known exploited vulnerabilities is CISA's; CISA does not endorse this product.

${entries.join('\n')}`
}

function printReport(report: ImportReport): void {
  for (const file of report.files) {
    process.stdout.write(
      `${basename(file.path)} [${file.forms.join(' ')}] read ${file.read} added ${file.added} replaced ${file.replaced} kept ${file.kept} exploited ${file.exploited}\n`,
    )
    for (const { reason, count, examples } of file.dropped)
      process.stdout.write(`    left out ${count}: ${reason} (${examples.join('; ')})\n`)
  }
}
