// A database of Grype, schema 6, from records in OSV form: languages alone. Grype itself adds indexes and the other tables when it
// imports the file. github.com/anchore/grype, grype/db/v6/models.go and blobs.go.
import { DatabaseSync } from 'node:sqlite'
import { affectedBy, type OsvRecord } from './records.ts'

/** By the ecosystem's name in OSV: the type of package, and of version. */
const worlds: Record<string, [type: string, format: string]> = {
  npm: ['npm', 'npm'],
  PyPI: ['python', 'python'],
  Maven: ['java-archive', 'maven'],
  RubyGems: ['gem', 'gem'],
  Go: ['go-module', 'go'],
  'crates.io': ['rust-crate', 'semver'],
  Packagist: ['php-composer', 'composer'],
  NuGet: ['dotnet', 'nuget'],
}

const tables = `
CREATE TABLE blobs (id INTEGER PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE db_metadata (build_timestamp DATETIME NOT NULL, model INTEGER NOT NULL, revision INTEGER NOT NULL, addition INTEGER NOT NULL);
CREATE TABLE providers (id TEXT PRIMARY KEY, version TEXT, processor TEXT, date_captured DATETIME, input_digest TEXT);
CREATE TABLE vulnerability_handles (id INTEGER PRIMARY KEY, name TEXT NOT NULL, status TEXT NOT NULL, published_date DATETIME,
  modified_date DATETIME, withdrawn_date DATETIME, provider_id TEXT NOT NULL, blob_id INTEGER);
CREATE TABLE packages (id INTEGER PRIMARY KEY, ecosystem TEXT, name TEXT);
CREATE TABLE affected_package_handles (id INTEGER PRIMARY KEY, vulnerability_id INTEGER NOT NULL, operating_system_id INTEGER,
  package_id INTEGER, blob_id INTEGER);`

/** In: a path where nothing is yet, and the records. */
export function writeGrypeDatabase(path: string, records: Iterable<OsvRecord>): void {
  const database = new DatabaseSync(path)
  database.exec(`${tables} BEGIN`)
  const insert = (table: string, columns: number) =>
    database.prepare(`INSERT INTO ${table} VALUES (${Array(columns).fill('?').join(', ')})`)
  const now = new Date().toISOString().replace('T', ' ').replace('Z', '+00:00')
  insert('db_metadata', 4).run(now, 6, 1, 10)
  insert('providers', 5).run('github', '1', 'vunnel', now, 'xxh64:0')
  const [blobs, vulnerabilities, packages, affected] = [
    insert('blobs', 2),
    insert('vulnerability_handles', 8),
    insert('packages', 3),
    insert('affected_package_handles', 5),
  ]
  const known = new Map<string, number>()
  let blobId = 0
  const blob = (value: object) => {
    blobs.run(++blobId, JSON.stringify(value))
    return blobId
  }
  let vulnerabilityId = 0
  for (const record of records) {
    if (record.withdrawn !== undefined) continue
    vulnerabilities.run(
      ++vulnerabilityId,
      record.id,
      'active',
      null,
      null,
      null,
      'github',
      blob({ id: record.id, aliases: record.aliases ?? [] }),
    )
    for (const { type, name, format, constraint } of constraintsOf(record)) {
      const key = `${type} ${name.toLowerCase()}` // its index knows no case
      const packageId = known.get(key) ?? known.size + 1
      if (!known.has(key)) packages.run(packageId, type, name)
      known.set(key, packageId)
      affected.run(null, vulnerabilityId, null, packageId, blob({ ranges: [{ version: { type: format, constraint } }] }))
    }
  }
  database.exec('COMMIT')
  database.close()
}

/** Names of Python by PEP 503, of NuGet in lower case, as Grype asks for them. */
function* constraintsOf(record: OsvRecord) {
  for (const { ecosystem, name, spans } of affectedBy(record)) {
    const world = worlds[ecosystem]
    if (world === undefined) continue
    const [type, format] = world
    yield { type, name: type === 'dotnet' ? name.toLowerCase() : name, format, constraint: spans.join(' || ') }
  }
}
