import type { AdvisoryStatus, ImportReport } from '../flow/advisories/folder.ts'
import { table } from './table.ts'

const mostFiles = 50

/** What an import brought, for people. In: its report, the width of the terminal. */
export function reportText(report: ImportReport, columns: number | undefined): string {
  const shown = report.files.slice(0, mostFiles)
  const rows = shown.map((file) => [
    file.path,
    file.forms.join(', ') || 'not understood',
    ...[file.read, file.added, file.replaced, file.exploited, file.probabilities, file.artifacts].map(String),
  ])
  const more = report.files.length > mostFiles ? `and ${report.files.length - mostFiles} more files\n` : ''
  const dropped = shown.flatMap((file) =>
    file.dropped.map(({ reason, count, examples }) => `left out of ${file.path}, ${count} times: ${reason} (${examples[0] ?? ''})\n`),
  )
  const covered = report.newlyCovered.length > 0 ? `judged from now on: ${report.newlyCovered.join(', ')}\n` : ''
  const gone = report.export === undefined ? '' : wrapped(`${replacedText(report.export)}\n`, columns)
  const outcome = report.changed
    ? `revision ${report.revision} is in force; a server on this data takes it up within seconds`
    : `nothing new: revision ${report.revision} stays in force`
  return `${table(['FILE', 'FORM', 'READ', 'NEW', 'CHANGED', 'EXPLOITED', 'EPSS', 'JARS'], rows, columns)}${more}${dropped.map((line) => wrapped(line, columns)).join('')}${covered}${gone}\n${wrapped(`${outcome}\n`, columns)}`
}

function replacedText({ revision, createdAt, removed, signedBy }: NonNullable<ImportReport['export']>): string {
  const by = signedBy === undefined ? 'not signed by a trusted key' : `signed by ${signedBy}`
  return `export of revision ${revision}, made ${createdAt.slice(0, 16).replace('T', ' ')} UTC, ${by}; ${removed} records that were here are not in it`
}

/** What is in force, for people. In: the status, the width of the terminal. */
export function statusText(status: AdvisoryStatus, columns: number | undefined): string {
  const head = `revision ${status.revision}, newest data ${status.date.slice(0, 10)} (${days(status.ageDays)} old)\n${status.records} records, ${status.withdrawn} withdrawn, ${status.exploited} flaws known to be exploited\n${artifactsText(status)}`
  const sources = status.sources.map((source) => [source.source, String(source.records), source.newest.slice(0, 10), days(source.ageDays)])
  const ecosystems = status.ecosystems.map(({ ecosystem, records, coverage }) => [
    ecosystem,
    String(records),
    ...(coverage === undefined ? ['no', '', ''] : [coverage.depth, coverage.asOf.slice(0, 10), days(coverage.ageDays)]),
  ])
  return `${head}\n${table(['SOURCE', 'RECORDS', 'NEWEST', 'AGE'], sources, columns)}\n${table(['ECOSYSTEM', 'RECORDS', 'JUDGED', 'AS OF', 'AGE'], ecosystems, columns)}`
}

function artifactsText({ artifacts }: AdvisoryStatus): string {
  if (artifacts === undefined) return ''
  return `${artifacts.count} jars known by their hash, as of ${artifacts.asOf.slice(0, 10)} (${days(artifacts.ageDays)} old)\n`
}

function days(count: number): string {
  return count === 1 ? '1 day' : `${count} days`
}

function wrapped(line: string, columns: number | undefined): string {
  return table([line.trimEnd()], [], columns)
}
