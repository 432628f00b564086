// Findings of Lazaret beside those of OSV-Scanner, which reads the same records from a folder: those of the shared data, the newest
// of each id. Trivy and Grype have databases in forms of their own, which are not made here.
import { createWriteStream } from 'node:fs'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { once } from 'node:events'
import { zstdDecompressSync } from 'node:zlib'
import { launcher } from '../server.ts'
import { named, keyOf } from './named.ts'
import { keptIn, type Recipe, shell } from './recipe.ts'
import { data } from './recipes/shared.ts'
import { namedByOsv, printed, programOf, scannedByOsv } from './scanners.ts'

/** A flaw of a package of one version: as it is compared, and all ids that it goes by. */
interface Finding {
  package: string
  ids: readonly string[]
}

type Finder = (archive: string) => Promise<Finding[]>

const sources = ['pypa', 'govulndb', 'rustsec', 'ghsa-osv-export', 'ghsa-readfile', 'r', 'drupal']

/** Prints as it goes; `folder` keeps the images, `run` the advisories. Out: whether both found the same in every image. */
export async function printFindings(recipes: readonly Recipe[], folder: string, run: string): Promise<boolean> {
  const program = programOf('osv-scanner')
  if (program === undefined) throw new Error('OSV-Scanner is not on this machine: docs/comparison.md says how it is built')
  const ids = await laidDown(run)
  const [ours, theirs] = [await lazaret(run, ids), osvScanner(program, run)]
  console.log(`${new Date().toISOString().slice(0, 10)}: ${ids.size} records.\n`)
  console.log('| image | Lazaret | OSV-Scanner | both | Lazaret alone | OSV-Scanner alone |\n|---|---|---|---|---|---|')
  const details: string[] = []
  for (const recipe of recipes) {
    const { archive } = await keptIn(folder, recipe)
    const [a, b] = [counted(await ours(archive)), counted(await theirs(archive))]
    const [left, right] = [without(a, b), without(b, a)]
    console.log(`| ${recipe.name} | ${a.length} | ${b.length} | ${a.length - left.length} | ${left.length} | ${right.length} |`)
    details.push(
      ...left.map((one) => `${recipe.name}, Lazaret alone: ${shown(one)}`),
      ...right.map((one) => `${recipe.name}, OSV-Scanner alone: ${shown(one)}`),
    )
  }
  console.log(`\n${details.join('\n')}`)
  return details.length === 0
}

/** Out: the ids of all records, once they lie where OSV-Scanner looks for them and in one file for Lazaret. */
async function laidDown(run: string): Promise<Set<string>> {
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
  return new Set(records.keys())
}

interface OsvRecord {
  id: string
  modified: string
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
async function lazaret(run: string, known: ReadonlySet<string>): Promise<Finder> {
  const env = { ...process.env, XDG_CACHE_HOME: join(run, 'cache'), LAZARET_DATA: join(run, 'data'), LAZARET_OFFLINE: 'true' }
  await mkdir(join(run, 'data'), { mode: 0o700 })
  await printed(launcher, ['advisories', 'import', join(run, 'records.jsonl')], env)
  return async (archive) => {
    const text = await printed(launcher, ['scan', archive, '--format', 'json', '--quiet', '--no-ignore'], env)
    const { findings } = JSON.parse(text) as { findings: { ids: string[]; places: { kind: string; name: string; version: string }[] }[] }
    return findings
      .filter(({ ids }) => ids.some((id) => known.has(id)))
      .flatMap(({ ids, places }) =>
        [...new Set(places.map(({ kind, name, version }) => keyOf(named(kind, name, version))))].map((one) => ({ package: one, ids })),
      )
  }
}

/** It groups the ids of one flaw itself. */
function osvScanner(program: string, run: string): Finder {
  const env = { ...process.env, XDG_CACHE_HOME: run }
  return async (archive) =>
    (await scannedByOsv(program, archive, env)).flatMap((one) =>
      namedByOsv(one.package).flatMap((its) =>
        (one.groups ?? []).map(({ ids, aliases = [] }) => ({ package: keyOf(its), ids: [...ids, ...aliases] })),
      ),
    )
}

/** Once a package and flaw, at however many places; of distributions the records here are single ones, for which no release is judged. */
function counted(findings: readonly Finding[]): Finding[] {
  const ofLanguages = findings.filter((one) => !/^(?:deb|apk|rpm) /.test(one.package))
  return [...new Map(ofLanguages.map((one) => [`${one.package} ${one.ids.toSorted().join(' ')}`, one])).values()]
}

function without(these: readonly Finding[], others: readonly Finding[]): Finding[] {
  return these.filter((one) => !others.some((other) => other.package === one.package && other.ids.some((id) => one.ids.includes(id))))
}

function shown(finding: Finding): string {
  return `${finding.package}: ${finding.ids.join(', ')}`
}
