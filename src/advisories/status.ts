import type { DatabaseSync } from 'node:sqlite'
import { LazaretError } from '../kit/errors.ts'
import { type ArtifactSet, artifactSetOf } from './artifacts.ts'
import type { Coverage } from './form.ts'
import { currentRevision, type Revision, revisionPath } from './revisions.ts'
import { openRevision } from './schema.ts'
import { fromSeconds, toSeconds } from './time.ts'

export interface AdvisoryStatus {
  revision: string
  /** ISO 8601: the newest data. */
  date: string
  /** Whole days since then. */
  ageDays: number
  sizeBytes: number
  /** Withdrawn ones not counted. */
  records: number
  withdrawn: number
  /** CVEs known to be exploited. */
  exploited: number
  /** Published files that are known by their hash; absent where none are. */
  artifacts?: ArtifactSet & { ageDays: number }
  /** By number of records, the largest first; `coverage` is missing where nothing judges the ecosystem as a whole. */
  ecosystems: { ecosystem: string; records: number; coverage?: Coverage & { ageDays: number } }[]
  sources: { source: string; records: number; newest: string; ageDays: number }[]
}

/** In: the data folder. Out: what is in force there. Throws UNAVAILABLE where nothing is, or it can't be read. */
export function statusOf(dataFolder: string, now: Date = new Date()): AdvisoryStatus {
  const revision = currentRevision(dataFolder)
  if (revision === undefined) throw new LazaretError('UNAVAILABLE', `there is no advisory database in ${dataFolder}`)
  const database = openRevision(revisionPath(dataFolder, revision))
  try {
    return statusOfDatabase(database, revision, now)
  } finally {
    database.close()
  }
}

export function statusOfDatabase(database: DatabaseSync, revision: Revision, now: Date = new Date()): AdvisoryStatus {
  const age = (seconds: number): number => Math.max(0, Math.floor((now.getTime() / 1000 - seconds) / 86_400))
  const artifacts = artifactSetOf(database)
  const count = (query: string): number => Number((database.prepare(query).get() as { n: number }).n)
  return {
    revision: revision.revision,
    date: revision.date,
    ageDays: age(toSeconds(revision.date) ?? 0),
    sizeBytes: revision.sizeBytes,
    records: count('SELECT count(*) AS n FROM records WHERE withdrawn IS NULL'),
    withdrawn: count('SELECT count(*) AS n FROM records WHERE withdrawn IS NOT NULL'),
    exploited: count('SELECT count(*) AS n FROM exploited'),
    ...(artifacts === undefined ? {} : { artifacts: { ...artifacts, ageDays: age(toSeconds(artifacts.asOf) ?? 0) } }),
    ecosystems: ecosystemCounts(database, age),
    sources: (
      database.prepare('SELECT name, records, newest FROM sources WHERE records > 0 ORDER BY records DESC').all() as unknown as {
        name: string
        records: number
        newest: number
      }[]
    ).map((row) => ({ source: row.name, records: row.records, newest: fromSeconds(row.newest), ageDays: age(row.newest) })),
  }
}

interface EcosystemRow {
  ecosystem: string
  records: number
  depth: Coverage['depth'] | null
  as_of: number
  note: string
}

function ecosystemCounts(database: DatabaseSync, age: (seconds: number) => number): AdvisoryStatus['ecosystems'] {
  const rows = database
    .prepare(`
    SELECT name AS ecosystem, records, depth, as_of, note FROM ecosystems LEFT JOIN coverage ON coverage.ecosystem = name WHERE records > 0
    UNION ALL SELECT ecosystem, 0, depth, as_of, note FROM coverage WHERE ecosystem NOT IN (SELECT name FROM ecosystems WHERE records > 0)
    ORDER BY records DESC, ecosystem`)
    .all() as unknown as EcosystemRow[]
  return rows.map(({ ecosystem, records, depth, as_of, note }) => ({
    ecosystem,
    records,
    ...(depth === null ? {} : { coverage: { ecosystem, depth, asOf: fromSeconds(as_of), note, ageDays: age(as_of) } }),
  }))
}
