import { copyFile, rm } from 'node:fs/promises'
import { LazaretError } from '../kit/errors.ts'
import { ensureDatabase } from './ensure.ts'
import { ChangeWriter } from './changes.ts'
import { withoutNeedlessVersions } from './compact.ts'
import { BulkCounts } from './coverage.ts'
import { type Document, documentsIn, readLimits, type ReadLimits } from './documents.ts'
import { factsIn } from './facts.ts'
import { isoSeconds } from './fields.ts'
import { finishRevision } from './finish.ts'
import type { Coverage, Fact } from './form.ts'
import { currentRevision, publish, type Revision, revisionPath, withImportLock, workPath } from './revisions.ts'
import { createDatabase, openForWork } from './schema.ts'
import { type Dropped, Tally } from './tally.ts'
import { fromSeconds } from './time.ts'
import { AdvisoryWriter } from './writer.ts'

export interface ImportOptions {
  now?: Date
  /** ISO 8601, of data that carries no date itself; without it, the day that the file was last changed. */
  asOf?: (path: string) => string | undefined
  /** What the importer vouches for, beside what the amount of data shows. */
  coverage?: readonly Coverage[]
  /** Families of ecosystems of which what is covered whole is known to be of this day still, whether or not something came. */
  fresh?: readonly { family: string; asOf: string }[]
  /** Of a file, the part that may be left out: with more, it is refused, and the import with it. Default: all of it. */
  mostDropped?: (path: string) => number
  /** How long to wait for another import. Default: not at all. */
  waitSeconds?: number
  /** Whether plenty of records for an ecosystem shows that it is judged (see coverage.ts). Default: true. */
  inferCoverage?: boolean
  /** Whether an empty folder starts with the bundled snapshot. Default: true. */
  bundled?: boolean
  limits?: Partial<ReadLimits>
  /** Called now and then with the records read so far. */
  onProgress?: (path: string, records: number) => void
}

/** Of one file; the entries of an archive and the files of a folder are counted one by one up to a thousand. */
export interface FileReport {
  path: string
  /** Names of the forms that were found in it: `osv`, `alpine` …; none where nothing in it was understood. */
  forms: string[]
  read: number
  added: number
  replaced: number
  unchanged: number
  /** Left as it was, because what is there is newer. */
  kept: number
  exploited: number
  /** CVEs with a probability of being exploited (EPSS). */
  probabilities: number
  /** Published files that are known by their hash. */
  artifacts: number
  dropped: Dropped[]
}

export interface ImportReport {
  /** In force afterwards; the same as before where the import brought nothing new. */
  revision: string
  date: string
  changed: boolean
  files: FileReport[]
  /** Ecosystems that are judged only since this import. */
  newlyCovered: string[]
  /** Where it was a signed export, which replaces all that was here. */
  export?: { name: string; revision: string; createdAt: string; removed: number; signedBy?: string }
}

/**
 * In: files and folders of advisory data (OSV JSON, JSON lines and zips, the distributions' own lists, KEV, our export;
 * each also under zstd or gzip), and the data folder. Out: what was read, and the revision that is in force now.
 * Whatever is thrown, the revision before stays in force, and readers never wait.
 * Throws INPUT_INVALID where a path can't be opened or nothing is understood, UNREADABLE for damaged files, LIMIT_EXCEEDED
 * for what unfolds to too much, CONFLICT while another import runs.
 */
export async function importAdvisories(paths: readonly string[], dataFolder: string, options: ImportOptions = {}): Promise<ImportReport> {
  if (options.bundled !== false) await ensureDatabase(dataFolder)
  return withImportLock(dataFolder, async () => {
    const before = currentRevision(dataFolder)
    const work = await workPath(dataFolder)
    try {
      await startFrom(before, work, dataFolder)
      const read = await readInto(work, (before?.counter ?? 0) + 1, paths, options)
      const revision = read.changed ? await publishWork(dataFolder, work, before, options) : before
      if (revision === undefined) throw new LazaretError('INPUT_INVALID', 'nothing was read that could make an advisory database')
      return { ...read, revision: revision.revision, date: revision.date }
    } finally {
      for (const left of [work, `${work}.whole`]) await rm(left, { force: true })
    }
  })
}

async function startFrom(before: Revision | undefined, work: string, dataFolder: string): Promise<void> {
  if (before === undefined) createDatabase(work).close()
  else await copyFile(revisionPath(dataFolder, before), work)
}

type Read = Pick<ImportReport, 'changed' | 'files' | 'newlyCovered'>

async function readInto(work: string, counter: number, paths: readonly string[], options: ImportOptions): Promise<Read> {
  const database = openForWork(work)
  try {
    database.exec('BEGIN')
    const writer = new AdvisoryWriter(database, counter)
    const changes = new ChangeWriter(database, counter)
    const run = new ImportRun(writer, changes, options)
    for await (const document of documentsIn(paths, { ...readLimits, ...options.limits })) await run.read(document)
    run.end(paths.length)
    finishRevision(database, counter, writer.changedIds)
    const newlyCovered = changes.finish(writer.changedIds.size, options.now ?? new Date())
    database.exec('COMMIT')
    return { changed: run.changed, files: run.files(), newlyCovered }
  } finally {
    database.close()
  }
}

/** Packed anew into a second file: what was deleted leaves no gaps, and the pages stand in order. */
async function publishWork(dataFolder: string, work: string, before: Revision | undefined, options: ImportOptions): Promise<Revision> {
  const whole = `${work}.whole`
  const database = openForWork(work)
  let newest: number
  try {
    database.prepare('VACUUM INTO ?').run(whole)
    newest = Number(
      (
        database
          .prepare('SELECT max(coalesce((SELECT max(newest) FROM sources), 0), coalesce((SELECT max(added) FROM exploited), 0)) AS n')
          .get() as { n: number }
      ).n,
    )
  } finally {
    database.close()
  }
  return publish(dataFolder, whole, {
    counter: (before?.counter ?? 0) + 1,
    date: newest > 0 ? fromSeconds(newest) : isoSeconds(options.now ?? new Date()),
    ...(before?.bundle === undefined ? {} : { bundle: before.bundle }),
    wholeSince: before?.wholeSince ?? 1,
    imported: true,
  })
}

const mostFileReports = 1000

/** One import: reads documents, writes what they say, and counts. */
class ImportRun {
  changed = false
  private readonly writer: AdvisoryWriter
  private readonly changes: ChangeWriter
  private readonly options: ImportOptions
  private readonly now: Date
  private readonly bulk = new BulkCounts()
  private readonly reports = new Map<string, { report: Omit<FileReport, 'dropped'>; tally: Tally }>()
  private records = 0

  constructor(writer: AdvisoryWriter, changes: ChangeWriter, options: ImportOptions) {
    this.writer = writer
    this.changes = changes
    this.options = options
    this.now = options.now ?? new Date()
  }

  async read(document: Document): Promise<void> {
    const { report, tally } = this.reportOf(document.path)
    const asOf = this.options.asOf?.(document.path) ?? isoSeconds(new Date(Math.min(document.changedAt.getTime(), this.now.getTime())))
    const context = {
      now: this.now,
      asOf,
      drop: (reason: string, where: string) => tally.drop(reason, document.name.includes(':') ? `${document.name}: ${where}` : where),
    }
    const onForm = (name: string): void => void (report.forms.includes(name) || report.forms.push(name))
    for await (const fact of factsIn(document, context, onForm)) this.write(fact, report)
  }

  end(paths: number): void {
    const understood = [...this.reports.values()].some(({ report }) => report.forms.length > 0)
    if (!understood && (paths > 0 || this.options.fresh === undefined)) throw nothingUnderstood([...this.reports.keys()])
    for (const file of this.files()) refuseMostlyDropped(file, this.options.mostDropped?.(file.path) ?? 1)
    if (this.options.inferCoverage !== false) for (const coverage of this.bulk.coverage()) this.cover(coverage)
    for (const coverage of this.options.coverage ?? []) this.cover(coverage)
    for (const { family, asOf } of this.options.fresh ?? []) if (this.writer.refreshCoverage(family, asOf)) this.changed = true
  }

  files(): FileReport[] {
    return [...this.reports.values()].map(({ report, tally }) => ({ ...report, dropped: tally.list() }))
  }

  private write(fact: Fact, report: Omit<FileReport, 'dropped'>): void {
    if (fact.kind === 'coverage') return this.cover(fact.coverage)
    if (fact.kind === 'exploited') {
      report.exploited++
      if (this.writer.putExploited(fact.cve, fact.addedOn)) this.changed = true
      return
    }
    if (fact.kind === 'probability') {
      report.probabilities++
      const became = this.writer.putProbability(fact.cve, fact.probability, fact.percentile, fact.asOf)
      if (became === 'changed' || became === 'notable') this.changed = true
      return
    }
    if (fact.kind === 'artifact') {
      report.artifacts++
      if (this.writer.putArtifact(fact.sha1, fact, fact.asOf)) this.changed = true
      return
    }
    const outcome = this.writer.put(withoutNeedlessVersions(fact.advisory), fact.merge)
    report.read++
    report[outcome]++
    if (outcome === 'added' || outcome === 'replaced') {
      this.changed = true
      this.changes.noteRecord(fact.advisory, outcome)
    }
    this.bulk.count(fact.advisory)
    if (++this.records % 5000 === 0) this.options.onProgress?.(report.path, this.records)
  }

  private cover(coverage: Coverage): void {
    if (this.writer.putCoverage(coverage)) this.changed = true
  }

  private reportOf(path: string): { report: Omit<FileReport, 'dropped'>; tally: Tally } {
    const key = this.reports.has(path) || this.reports.size < mostFileReports ? path : 'further files'
    const known = this.reports.get(key)
    if (known !== undefined) return known
    const made = {
      report: { path: key, forms: [], read: 0, added: 0, replaced: 0, unchanged: 0, kept: 0, exploited: 0, probabilities: 0, artifacts: 0 },
      tally: new Tally(),
    }
    this.reports.set(key, made)
    return made
  }
}

/** Throws UNREADABLE, with what was wrong most often. */
function refuseMostlyDropped(file: FileReport, most: number): void {
  const dropped = file.dropped.reduce((sum, { count }) => sum + count, 0)
  const all = dropped + file.read + file.exploited + file.probabilities + file.artifacts
  if (dropped <= all * most) return
  const [first] = file.dropped
  const why = first === undefined ? '' : `: ${first.reason} (${first.examples[0] ?? ''})`
  throw new LazaretError('UNREADABLE', `${dropped} of ${all} records of ${file.path} can't be read, so none is taken${why}`)
}

function nothingUnderstood(paths: readonly string[]): LazaretError {
  const where = paths.length === 0 ? 'there are no files' : `${paths.slice(0, 3).join(', ')}: no advisory data that is understood`
  return new LazaretError('INPUT_INVALID', `${where} (OSV, a distribution's list, KEV, EPSS, hashes of artifacts or an export is)`)
}
