import type { SourceRow, UpdateReport } from '../flow/advisories/updates.ts'
import { table } from './table.ts'

/** What an update brought, for people. In: its report, the width of the terminal. */
export function updateText({ sources, changed, revision }: UpdateReport, columns: number | undefined): string {
  const outcome = changed
    ? `revision ${revision} is in force; a server on this data takes it up within seconds`
    : `nothing new: revision ${revision} stays in force`
  return `${sourcesText(sources, columns)}\n${table([outcome], [], columns)}`
}

/** In: what is known of sources that were asked. Out: a row for each, and below what is wrong and what was left out. */
export function sourcesText(sources: readonly SourceRow[], columns: number | undefined): string {
  const rows = sources.map((row) => {
    const counts = row.brought?.counts
    const numbers = [counts?.in, counts?.added, counts?.replaced, counts?.dropped].map((count) => String(count ?? ''))
    return [nameOf(row), row.unproven ? `${row.state}, unproven` : row.state, ageText(row.ageSeconds), ...numbers]
  })
  const notes = sources.flatMap((row) => [
    ...(row.problem === undefined ? [] : [`${nameOf(row)}, tried ${row.triedAt}: ${row.problem}`]),
    ...(row.brought?.counts.why ?? []).map(
      ({ reason, count, examples }) => `left out of ${nameOf(row)}, ${count} times: ${reason} (${examples[0] ?? ''})`,
    ),
  ])
  const head = table(['FETCHED FROM', 'STATE', 'LAST GOOD', 'IN', 'NEW', 'CHANGED', 'LEFT OUT'], rows, columns)
  return `${head}${notes.map((note) => table([note], [], columns)).join('')}`
}

function nameOf({ source, part }: SourceRow): string {
  return part === '' ? source : `${source} ${part}`
}

function ageText(seconds: number | undefined): string {
  if (seconds === undefined) return 'never'
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min ago`
  return seconds < 172_800 ? `${Math.floor(seconds / 3600)} h ago` : `${Math.floor(seconds / 86_400)} days ago`
}
