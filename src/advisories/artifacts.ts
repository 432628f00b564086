// Artifacts by the hash of their bytes: what a jar is that no word in it tells. A row a hash and name.
//
//   artifacts      sha1 (20 bytes), `group:artifact`, version
//   artifact_date  the newest day that an import of them spoke of
import type { DatabaseSync } from 'node:sqlite'
import { fromSeconds, toSeconds } from './time.ts'

const tables = `
CREATE TABLE IF NOT EXISTS artifacts (sha1 BLOB NOT NULL, name TEXT NOT NULL, version TEXT NOT NULL, PRIMARY KEY (sha1, name, version)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS artifact_date (as_of INTEGER NOT NULL);
`

/** What the bytes of one hash were published as. */
export interface Artifact {
  /** As advisories of Maven name it: `group:artifact`. */
  name: string
  version: string
}

/** How many are known, and how old that knowledge is. */
export interface ArtifactSet {
  count: number
  /** ISO 8601. */
  asOf: string
}

/** In: a work database, within its transaction. Adds artifacts; what is there stays: a hash never means other bytes. */
export class ArtifactWriter {
  private readonly statements
  private date: number

  constructor(database: DatabaseSync) {
    database.exec(tables)
    this.date = Number(database.prepare('SELECT coalesce(max(as_of), 0) AS date FROM artifact_date').get()?.['date'] ?? 0)
    this.statements = {
      put: database.prepare('INSERT INTO artifacts (sha1, name, version) VALUES (?, ?, ?) ON CONFLICT DO NOTHING'),
      clearDate: database.prepare('DELETE FROM artifact_date'),
      putDate: database.prepare('INSERT INTO artifact_date (as_of) VALUES (?)'),
    }
  }

  /** In: the hash as 40 hex digits, and the day that the data speaks of. Out: whether anything changed. */
  put(sha1: string, { name, version }: Artifact, asOf: string): boolean {
    const added = Number(this.statements.put.run(Buffer.from(sha1, 'hex'), name, version).changes) > 0
    return this.moveTo(toSeconds(asOf) ?? 0) || added
  }

  private moveTo(day: number): boolean {
    if (day <= this.date) return false
    this.statements.clearDate.run()
    this.statements.putDate.run(day)
    this.date = day
    return true
  }
}

/** More coordinates than this have the same bytes nowhere. */
const mostNames = 8

/** In: a revision, maybe of before there were any. Out: what to ask for a hash: every name that its bytes were published by. */
export function artifactsOf(database: DatabaseSync): (sha1: string) => Artifact[] {
  if (!hasArtifacts(database)) return () => []
  const find = database.prepare('SELECT name, version FROM artifacts WHERE sha1 = ? ORDER BY name, version LIMIT ?')
  return (sha1) => {
    if (!/^[0-9a-f]{40}$/.test(sha1)) return []
    return find.all(Buffer.from(sha1, 'hex'), mostNames).map((row) => ({ name: String(row['name']), version: String(row['version']) }))
  }
}

/** Every one of a revision, for an export. */
export function* allArtifacts(database: DatabaseSync): Generator<Artifact & { sha1: string; asOf: string }> {
  const { asOf } = artifactSetOf(database) ?? {}
  if (asOf === undefined) return
  for (const row of database.prepare('SELECT sha1, name, version FROM artifacts ORDER BY sha1').iterate()) {
    const sha1 = Buffer.from(row['sha1'] as Uint8Array).toString('hex')
    yield { sha1, name: String(row['name']), version: String(row['version']), asOf }
  }
}

/** Out: undefined where none are known. */
export function artifactSetOf(database: DatabaseSync): ArtifactSet | undefined {
  if (!hasArtifacts(database)) return undefined
  const row = database.prepare('SELECT (SELECT count(*) FROM artifacts) AS count, (SELECT max(as_of) FROM artifact_date) AS date').get()
  const count = Number(row?.['count'] ?? 0)
  return count === 0 ? undefined : { count, asOf: fromSeconds(Number(row?.['date'] ?? 0)) }
}

function hasArtifacts(database: DatabaseSync): boolean {
  return database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'artifact_date'").get() !== undefined
}
