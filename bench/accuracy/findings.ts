// Findings of all scanners, of the same records: those of the shared data, the newest of each id. OSV-Scanner reads them from zips,
// Grype and Trivy from databases that are made of them here.
import { createWriteStream } from 'node:fs'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { once } from 'node:events'
import { zstdDecompressSync } from 'node:zlib'
import { launcher } from '../server.ts'
import { writeGrypeDatabase } from './grype-database.ts'
import { keyOf, named, namedBy } from './named.ts'
import type { OsvRecord } from './records.ts'
import { keptIn, type Recipe, shell } from './recipe.ts'
import { data } from './recipes/shared.ts'
import { writeTrivyDatabase } from './trivy-database.ts'
import { emptyJavaDatabase, namedByOsv, peers, printed, programOf, scannedByOsv } from './scanners.ts'

/** A flaw of a package of one version: as it is compared, and all ids that it goes by. */
export interface Finding {
  package: string
  ids: readonly string[]
}

interface Finder {
  name: string
  find: (archive: string) => Promise<Finding[]>
}

const sources = ['pypa', 'govulndb', 'rustsec', 'ghsa-osv-export', 'ghsa-readfile', 'r', 'drupal']

/** Prints as it goes; `folder` keeps the images, `run` the advisories. */
export async function printFindings(recipes: readonly Recipe[], folder: string, run: string): Promise<void> {
  const records = await laidDown(run)
  const finders = await findersIn(run, records)
  console.log(`${new Date().toISOString().slice(0, 10)}: ${records.size} records. How many flaws are found by anyone, and by each.\n`)
  console.log(`| image | flaws | ${finders.map(({ name }) => name).join(' | ')} |\n|---|---|${finders.map(() => '---|').join('')}`)
  const details: string[] = []
  for (const recipe of recipes) {
    const { archive } = await keptIn(folder, recipe)
    const found = new Map<string, Finding[]>()
    for (const { name, find } of finders) found.set(name, await find(archive))
    const flaws = flawsOf(found)
    console.log(
      `| ${recipe.name} | ${flaws.length} | ${finders.map(({ name }) => flaws.filter(({ by }) => by.has(name)).length).join(' | ')} |`,
    )
    for (const { package: its, ids, by } of flaws) {
      const silent = finders.filter(({ name }) => !by.has(name)).map(({ name }) => name)
      if (silent.length > 0) details.push(`${recipe.name}: ${its}: ${[...ids].join(', ')}: not by ${silent.join(', ')}`)
    }
  }
  console.log(`\n${details.join('\n')}`)
}

interface Flaw {
  package: string
  ids: Set<string>
  /** Who found it. */
  by: Set<string>
}

/**
 * In: what each found. Out: each flaw of a package once, whatever ids it goes by. Of distributions the records here are single ones,
 * for which no release is judged: those are left out.
 */
export function flawsOf(found: ReadonlyMap<string, readonly Finding[]>): Flaw[] {
  let flaws: Flaw[] = []
  for (const [name, findings] of found)
    for (const finding of findings) {
      if (/^(?:deb|apk|rpm) /.test(finding.package)) continue
      const isSame = (flaw: Flaw) => flaw.package === finding.package && finding.ids.some((id) => flaw.ids.has(id))
      const same = flaws.filter(isSame)
      const ids = new Set([...finding.ids, ...same.flatMap((flaw) => [...flaw.ids])])
      const by = new Set([name, ...same.flatMap((flaw) => [...flaw.by])])
      flaws = [...flaws.filter((flaw) => !same.includes(flaw)), { package: finding.package, ids, by }]
    }
  return flaws
}

async function findersIn(run: string, records: ReadonlyMap<string, OsvRecord>): Promise<Finder[]> {
  const finders: Finder[] = [{ name: 'Lazaret', find: await lazaret(run, records) }]
  const [trivy, grype, osv] = [programOf('trivy'), programOf('grype'), programOf('osv-scanner')]
  if (trivy !== undefined) finders.push({ name: 'Trivy', find: await trivyFinder(trivy, run, records) })
  if (grype !== undefined) finders.push({ name: 'Grype', find: await grypeFinder(grype, run, records) })
  if (osv !== undefined) finders.push({ name: 'OSV-Scanner', find: osvFinder(osv, run) })
  const absent = peers.filter((name) => finders.every((one) => one.name !== name))
  if (absent.length > 0) console.log(`Not on this machine, so left out: ${absent.join(', ')}.`)
  return finders
}

/** Out: all records, once they lie where OSV-Scanner looks for them and in one file for Lazaret. */
async function laidDown(run: string): Promise<Map<string, OsvRecord>> {
  const records = new Map<string, OsvRecord>()
  for (const source of sources) {
    const text = zstdDecompressSync(await readFile(join(data, 'advisories', `${source}.osv.jsonl.zst`))).toString('utf8')
    for (const line of text.split('\n')) if (line !== '') keepNewest(records, JSON.parse(line) as OsvRecord)
  }
  const out = createWriteStream(join(run, 'records.jsonl'))
  for (const record of records.values()) out.write(`${JSON.stringify(record)}\n`)
  out.end()
  await once(out, 'close')
  await mkdir(join(run, 'osv-scalibr'))
  await shell(`python3 -c '${zipsScript}' records.jsonl osv-scalibr`, run)
  return records
}

function keepNewest(records: Map<string, OsvRecord>, record: OsvRecord): void {
  const known = records.get(record.id)
  if (known === undefined || known.modified < record.modified) records.set(record.id, record)
}

/** A zip an ecosystem, as OSV publishes them. */
const zipsScript = `
import collections, json, os, sys, zipfile
by = collections.defaultdict(list)
for line in open(sys.argv[1], encoding="utf-8"):
    record = json.loads(line)
    for ecosystem in {one["package"]["ecosystem"].split(":")[0] for one in record.get("affected", []) if "package" in one}:
        by[ecosystem].append((record["id"], line))
for ecosystem, records in by.items():
    os.makedirs(os.path.join(sys.argv[2], ecosystem))
    with zipfile.ZipFile(os.path.join(sys.argv[2], ecosystem, "all.zip"), "w", zipfile.ZIP_DEFLATED) as out:
        for name, line in records:
            out.writestr(name + ".json", line)
`

/** It has the bundled records besides: what none of those here says is left out. */
async function lazaret(run: string, known: ReadonlyMap<string, OsvRecord>): Promise<Finder['find']> {
  const env = { ...process.env, XDG_CACHE_HOME: join(run, 'cache'), LAZARET_DATA: join(run, 'data'), LAZARET_OFFLINE: 'true' }
  await mkdir(join(run, 'data'), { mode: 0o700 })
  await printed(launcher, ['advisories', 'import', join(run, 'records.jsonl')], env)
  return async (archive) => {
    const text = await printed(launcher, ['scan', archive, '--format', 'json', '--quiet', '--no-ignore'], env)
    const { findings } = JSON.parse(text) as { findings: { ids: string[]; places: { kind: string; name: string; version: string }[] }[] }
    return findings
      .filter(({ ids }) => ids.some((id) => known.has(id)))
      .flatMap(({ ids, places }) => places.map(({ kind, name, version }) => ({ package: keyOf(named(kind, name, version)), ids })))
  }
}

/** It groups the ids of one flaw itself. */
function osvFinder(program: string, run: string): Finder['find'] {
  return async (archive) =>
    (await scannedByOsv(program, archive, { ...process.env, XDG_CACHE_HOME: run })).flatMap((one) =>
      namedByOsv(one.package).flatMap((its) =>
        (one.groups ?? []).map(({ ids, aliases = [] }) => ({ package: keyOf(its), ids: [...ids, ...aliases] })),
      ),
    )
}

async function grypeFinder(program: string, run: string, records: ReadonlyMap<string, OsvRecord>): Promise<Finder['find']> {
  const path = join(run, 'vulnerability.db')
  writeGrypeDatabase(path, records.values())
  const env = { ...process.env, GRYPE_DB_CACHE_DIR: join(run, 'grype'), GRYPE_DB_AUTO_UPDATE: 'false', GRYPE_CHECK_FOR_APP_UPDATE: 'false' }
  await printed(program, ['db', 'import', path], env)
  return async (archive) => {
    const { matches } = JSON.parse(await printed(program, [`docker-archive:${archive}`, '--quiet', '-o', 'json'], env)) as {
      matches: GrypeMatch[]
    }
    return matches.flatMap(({ vulnerability, relatedVulnerabilities = [], artifact }) => {
      const its = namedBy(artifact.purl)
      return its === undefined ? [] : [{ package: keyOf(its), ids: [vulnerability.id, ...relatedVulnerabilities.map(({ id }) => id)] }]
    })
  }
}

async function trivyFinder(program: string, run: string, records: ReadonlyMap<string, OsvRecord>): Promise<Finder['find']> {
  const cache = join(run, 'trivy')
  await writeTrivyDatabase(cache, records)
  await emptyJavaDatabase(join(cache, 'java-db'))
  const offline = ['--offline-scan', '--skip-db-update', '--skip-java-db-update', '--skip-version-check', '--quiet']
  return async (archive) => {
    const args = ['image', '--input', archive, '--cache-dir', cache, '--scanners', 'vuln', '--format', 'json', ...offline]
    const { Results = [] } = JSON.parse(await printed(program, args)) as { Results?: { Vulnerabilities?: TrivyVulnerability[] }[] }
    return Results.flatMap(({ Vulnerabilities = [] }) =>
      Vulnerabilities.flatMap(({ VulnerabilityID: id, PkgIdentifier: { PURL: purl } }) => {
        const its = purl === undefined ? undefined : namedBy(purl)
        return its === undefined ? [] : [{ package: keyOf(its), ids: [id, ...(records.get(id)?.aliases ?? [])] }]
      }),
    )
  }
}

interface TrivyVulnerability {
  VulnerabilityID: string
  PkgIdentifier: { PURL?: string }
}

interface GrypeMatch {
  vulnerability: { id: string }
  relatedVulnerabilities?: { id: string }[]
  artifact: { purl: string }
}
