import { createWriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import type { DatabaseSync } from 'node:sqlite'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { constants, createZstdCompress } from 'node:zlib'
import { LazaretError } from '../kit/errors.ts'
import type { Advisory, AffectedPackage } from '../model/advisory.ts'
import { allArtifacts } from './artifacts.ts'
import { allProbabilities } from './probabilities.ts'
import { currentRevision, type Revision, revisionPath } from './revisions.ts'
import { decodeFacts, decodePackage } from './rows.ts'
import { openRevision } from './schema.ts'
import { exportVersion, osvOf } from './sources/exported.ts'
import { fromSeconds } from './time.ts'

/**
 * In: the data folder, and a path. Out: the revision in force as one file of JSON lines under zstd, that
 * `importAdvisories` takes elsewhere; and how many records it holds. Throws UNAVAILABLE where there is no database.
 */
export async function exportAdvisories(dataFolder: string, path: string): Promise<{ revision: string; records: number }> {
  const revision = currentRevision(dataFolder)
  if (revision === undefined) throw new LazaretError('UNAVAILABLE', `there is no advisory database in ${dataFolder}`)
  const database = openRevision(revisionPath(dataFolder, revision))
  const counted = { records: 0 }
  const temporary = `${path}.${process.pid}.tmp`
  try {
    const compress = createZstdCompress({ params: { [constants.ZSTD_c_compressionLevel]: 9, [constants.ZSTD_c_checksumFlag]: 1 } })
    await pipeline(Readable.from(lines(database, revision, counted)), compress, createWriteStream(temporary, { flags: 'wx', mode: 0o600 }))
    await rename(temporary, path)
  } finally {
    database.close()
    await rm(temporary, { force: true })
  }
  return { revision: revision.revision, records: counted.records }
}

function* lines(database: DatabaseSync, revision: Revision, counted: { records: number }): Generator<string> {
  const line = (value: unknown): string => `${JSON.stringify(value)}\n`
  yield line({ lazaretAdvisories: exportVersion, revision: revision.revision, date: revision.date })
  for (const row of database.prepare('SELECT ecosystem, depth, as_of, note FROM coverage').iterate()) {
    yield line({
      coverage: { ecosystem: row['ecosystem'], depth: row['depth'], asOf: fromSeconds(Number(row['as_of'])), note: row['note'] },
    })
  }
  for (const row of database.prepare('SELECT cve, added FROM exploited').iterate())
    yield line({ exploited: row['cve'], addedOn: fromSeconds(Number(row['added'])) })
  for (const { cve, probability, percentile, date } of allProbabilities(database))
    yield line({ epss: cve, probability, percentile, asOf: date })
  for (const { sha1, name, version, asOf } of allArtifacts(database)) yield line({ artifact: sha1, name, version, asOf })
  for (const advisory of advisoriesOf(database)) {
    counted.records++
    yield line(osvOf(advisory))
  }
}

interface Row {
  id: number
  name: string
  source: string
  modified: number
  published: number | null
  withdrawn: number | null
  facts: string | null
}

/** Every record with all its packages, in the order of the database; the packages come from one ordered pass beside it. */
function* advisoriesOf(database: DatabaseSync): Generator<Advisory> {
  const packages = new OrderedPackages(database)
  const records = database.prepare(
    'SELECT records.id, records.name, sources.name AS source, modified, published, withdrawn, facts FROM records JOIN sources ON sources.id = source ORDER BY records.id',
  )
  for (const row of records.iterate() as unknown as Iterable<Row>) {
    const { aliases, upstream, severity } = decodeFacts(row.facts)
    yield {
      id: row.name,
      aliases,
      upstream,
      ...(row.published === null ? {} : { published: fromSeconds(row.published) }),
      ...(row.modified === 0 ? {} : { modified: fromSeconds(row.modified) }),
      ...(row.withdrawn === null ? {} : { withdrawn: fromSeconds(row.withdrawn) }),
      severity,
      affected: packages.of(row.id),
      malicious: row.name.startsWith('MAL-'),
      source: row.source,
    }
  }
}

interface PackageRow {
  record: number
  ecosystem: string
  name: string
  body: string
}

class OrderedPackages {
  private readonly rows: Iterator<PackageRow>
  private next: PackageRow | undefined

  constructor(database: DatabaseSync) {
    const query = database.prepare(
      'SELECT record, ecosystems.name AS ecosystem, packages.name AS name, body FROM affects JOIN packages ON packages.id = package JOIN ecosystems ON ecosystems.id = ecosystem ORDER BY record, packages.id',
    )
    this.rows = (query.iterate() as unknown as Iterable<PackageRow>)[Symbol.iterator]()
    this.advance()
  }

  of(record: number): AffectedPackage[] {
    const found: AffectedPackage[] = []
    for (; this.next?.record === record; this.advance())
      found.push({ ecosystem: this.next.ecosystem, name: this.next.name, ...decodePackage(this.next.body) })
    return found
  }

  private advance(): void {
    const step = this.rows.next()
    this.next = step.done === true ? undefined : step.value
  }
}
