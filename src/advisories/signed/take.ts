import { rm } from 'node:fs/promises'
import { basename } from 'node:path'
import { LazaretError } from '../../kit/errors.ts'
import { type Differences, markDifferences } from '../differences.ts'
import { ensureDatabase } from '../ensure.ts'
import { finishRevision } from '../finish.ts'
import type { ImportReport } from '../import.ts'
import { currentRevision, publish, type Revision, revisionPath, withImportLock, workPath } from '../revisions.ts'
import { openForWork } from '../schema.ts'
import { statusOf, type AdvisoryStatus } from '../status.ts'
import { checkReceived } from './check.ts'
import type { ExportManifest } from './form.ts'
import type { TrustedKey } from './keys.ts'
import { readExport } from './read.ts'

export interface TakeOptions {
  trusted: readonly TrustedKey[]
  /** Takes one that no trusted key signed. */
  allowUnsigned?: boolean
  /** Takes one that goes back in time. */
  older?: boolean
  /** Whether an empty folder starts with the bundled snapshot, to be compared with. Default: true. */
  bundled?: boolean
}

/**
 * In: the path of an export, the data folder. Out: what it brought, and the revision in force: it says what the export says and
 * nothing else, as what was here before is not added to it. Whatever is thrown, the revision before stays in force.
 * Throws DENIED where no trusted key signed it, CONFLICT where it is older than what is in force or another import runs,
 * UNREADABLE where it is damaged, LIMIT_EXCEEDED where it is too large.
 */
export async function takeSigned(path: string, dataFolder: string, options: TakeOptions): Promise<ImportReport> {
  const { manifest, signedBy, unpack } = await readExport(path, { ...options, allowUnsigned: options.allowUnsigned === true })
  if (options.bundled !== false) await ensureDatabase(dataFolder)
  return withImportLock(dataFolder, async () => {
    const before = currentRevision(dataFolder)
    if (options.older !== true && before !== undefined) requireNewer(manifest, statusOf(dataFolder))
    const work = await workPath(dataFolder)
    try {
      await unpack(work)
      checkReceived(work, manifest.schema)
      const origin = { how: 'export' as const, revision: manifest.revision, ...(signedBy !== undefined && { signedBy: signedBy.text }) }
      const found = await putInForce(dataFolder, work, before, { date: manifest.date, origin })
      return reportOf(path, manifest, signedBy, found)
    } finally {
      for (const left of [work, `${work}.whole`]) await rm(left, { force: true })
    }
  })
}

export interface InForce {
  revision: Revision
  /** Undefined where nothing was there to compare with. */
  differences: Differences | undefined
}

/**
 * In: a database that was made elsewhere or before, as a work file, and the revision in force; within the import's lock, by whom the
 * work file and `….whole` beside it are removed. Puts it in
 * force as a revision of its own, that knows on which packages it differs; where it says the same, the one in force stays.
 */
export async function putInForce(
  dataFolder: string,
  work: string,
  before: Revision | undefined,
  about: Pick<Revision, 'date' | 'bundle' | 'origin'>,
): Promise<InForce> {
  const counter = (before?.counter ?? 0) + 1
  const database = openForWork(work)
  let differences: Differences | undefined
  try {
    database.exec('PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON')
    if (before !== undefined) differences = markDifferences(database, revisionPath(dataFolder, before), counter)
    else database.exec(`UPDATE packages SET changed = ${counter}`)
    if (before !== undefined && differences?.none === true) return { revision: before, differences }
    database.exec('BEGIN; CREATE INDEX IF NOT EXISTS affects_record ON affects (record)') // which the next line asks by, and drops
    finishRevision(database, counter, differences?.changedIds ?? new Set())
    database.exec('COMMIT')
    database.prepare('VACUUM INTO ?').run(`${work}.whole`)
  } finally {
    database.close()
  }
  const wholeSince = before === undefined || differences?.everywhere === true ? counter : before.wholeSince
  return { revision: await publish(dataFolder, `${work}.whole`, { counter, ...about, wholeSince, imported: true }), differences }
}

function requireNewer(manifest: ExportManifest, inForce: AdvisoryStatus): void {
  const backwards = [
    ...(manifest.date < inForce.date ? [`its newest data is of ${day(manifest.date)}, that in force of ${day(inForce.date)}`] : []),
    ...manifest.sources.flatMap(({ source, newest }) => {
      const mine = inForce.sources.find((one) => one.source === source)
      return mine !== undefined && newest < mine.newest ? [`${source} would go back from ${day(mine.newest)} to ${day(newest)}`] : []
    }),
  ]
  if (backwards.length === 0) return
  const more = backwards.length > mostNamed ? ` and ${backwards.length - mostNamed} more` : ''
  throw new LazaretError(
    'CONFLICT',
    `the export is older than what is in force: ${backwards.slice(0, mostNamed).join(', ')}${more}. To go back in time all the same: --older`,
  )
}

const mostNamed = 5

/** To the second where it matters: two exports of one day are told apart. */
function day(instant: string): string {
  return instant.replace(/(?::00)?(?:\.\d+)?Z$/, 'Z').replace('T00:00Z', '')
}

function reportOf(
  path: string,
  manifest: ExportManifest,
  signedBy: TrustedKey | undefined,
  { revision, differences }: InForce,
): ImportReport {
  const { added = manifest.records, replaced = 0, unchanged = 0, removed = 0 } = differences ?? {}
  const counts = {
    read: manifest.records,
    added,
    replaced,
    unchanged,
    kept: 0,
    exploited: manifest.exploited,
    probabilities: 0,
    artifacts: 0,
  }
  return {
    revision: revision.revision,
    date: revision.date,
    changed: differences?.none !== true,
    files: [{ path, forms: ['signed export'], ...counts, dropped: [] }],
    newlyCovered: [],
    export: {
      name: basename(path),
      revision: manifest.revision,
      createdAt: manifest.createdAt,
      removed,
      ...(signedBy === undefined ? {} : { signedBy: signedBy.text }),
    },
  }
}
