import { basename } from 'node:path'
import { LazaretError } from '../../kit/errors.ts'
import { asNoRoom } from '../../kit/no-room.ts'
import type { ReadLimits } from '../documents.ts'
import { isoSeconds } from '../fields.ts'
import { type FileReport, importAdvisories, type ImportReport } from '../import.ts'
import { currentRevision } from '../revisions.ts'
import type { Fetched } from './feed.ts'
import type { SourceCounts } from './state.ts'
import { failed, type Unit } from './unit.ts'

/** How long to wait for an import that somebody else runs. */
const waitSeconds = 300
/** A file of which more is left out than taken is not what it was; but a few changed records may well all be bad ones. */
const mostDropped = 0.5
const fewRecords = 20

type Done = Unit & { fetched: Fetched }

/**
 * Brings what was fetched into force: all of it in one revision; where something in it can't be read, each part by itself, so that
 * the bad one alone is left out. What came of each stands in its state.
 */
export async function importFetched(
  units: readonly Unit[],
  dataFolder: string,
  now: Date,
  limits: Partial<ReadLimits> | undefined,
): Promise<void> {
  const done = units.filter((unit): unit is Done => unit.fetched !== undefined)
  if (done.length === 0) return
  try {
    settle(done, await bring(done, dataFolder, now, limits), dataFolder, now)
  } catch (error) {
    if (done.length === 1 || concernsAll(error)) for (const unit of done) failed(unit, error)
    else for (const unit of done) await importFetched([unit], dataFolder, now, limits)
  }
}

/** Each part by itself would fail the same way. */
function concernsAll(error: unknown): boolean {
  return asNoRoom(error) !== undefined || (error instanceof LazaretError && error.code === 'CONFLICT')
}

function bring(units: readonly Done[], dataFolder: string, now: Date, limits: Partial<ReadLimits> | undefined): Promise<ImportReport> {
  const paths = units.flatMap(({ fetched }) => (fetched.state === 'new' ? fetched.files : []))
  const few = new Set(units.flatMap(({ fetched }) => (isFew(fetched) ? fetched.files : [])))
  const asOf = `${isoSeconds(now).slice(0, 10)}T00:00:00Z` // by the day: else each look at a source that is unchanged would make a revision
  return importAdvisories(paths, dataFolder, {
    now,
    coverage: units.flatMap(({ fetched }) => fetched.fresh.coverage),
    fresh: units.flatMap(({ fetched }) => fetched.fresh.families.map((family) => ({ family, asOf }))),
    waitSeconds,
    mostDropped: (path) => (few.has(path) ? 1 : mostDropped),
    ...(limits === undefined ? {} : { limits }),
  })
}

function isFew(fetched: Fetched): fetched is Fetched & { state: 'new' } {
  return fetched.state === 'new' && fetched.how === 'delta' && fetched.records <= fewRecords
}

function settle(units: readonly Done[], report: ImportReport, dataFolder: string, now: Date): void {
  const counter = currentRevision(dataFolder)?.counter
  const files = new Map(report.files.map((file) => [file.path, file]))
  for (const unit of units) {
    const { state, fetched, base, feed } = unit
    const strange = fetched.state === 'new' ? fetched.files.find((path) => (files.get(path)?.forms.length ?? 0) === 0) : undefined
    if (strange !== undefined) {
      failed(unit, new LazaretError('UNREADABLE', `${basename(strange)}: no advisory data that is understood`))
      continue
    }
    Object.assign(state, fetched.next, { goodAt: now.getTime(), failures: 0 })
    delete state.problem
    if (counter !== undefined) state.counter = counter
    if (base.href === new URL(feed.origin).href) state.proven = true
    if (fetched.state === 'unchanged') continue
    const counts = countsOf(
      fetched.files.flatMap((path) => files.get(path) ?? []),
      fetched.dropped,
    )
    const { how, bytes, listed } = fetched
    state.brought = { how, at: now.getTime(), bytes, ...(listed === undefined ? {} : { listed }), counts }
  }
}

/** Every record that came is in one of the counts. */
function countsOf(files: readonly FileReport[], before: SourceCounts['why']): SourceCounts {
  const sum = (of: (file: FileReport) => number) => files.reduce((total, file) => total + of(file), 0)
  const why = [...before, ...files.flatMap(({ dropped }) => dropped)].slice(0, 50)
  const dropped = [...before, ...files.flatMap((file) => file.dropped)].reduce((total, { count }) => total + count, 0)
  const facts = sum(({ exploited, probabilities, artifacts }) => exploited + probabilities + artifacts)
  return {
    in: sum(({ read }) => read) + facts + dropped,
    added: sum(({ added }) => added),
    replaced: sum(({ replaced }) => replaced),
    unchanged: sum(({ unchanged }) => unchanged),
    kept: sum(({ kept }) => kept),
    facts,
    dropped,
    why,
  }
}
