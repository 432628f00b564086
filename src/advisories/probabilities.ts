// EPSS in the database: a row a CVE, two whole numbers each, because there are some 360,000.
//
//   probabilities.cve    2021 × 10⁹ + 44228
//   probabilities.value  probability × 10⁵ × 2·10⁵ + percentile × 10⁵
//   probability_date     the one day that all of them speak of
import type { DatabaseSync } from 'node:sqlite'
import type { ExploitProbability } from '../model/advisory.ts'
import { fromSeconds, toSeconds } from './time.ts'

export const probabilityTables = `
CREATE TABLE IF NOT EXISTS probabilities (cve INTEGER PRIMARY KEY, value INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS probability_date (as_of INTEGER NOT NULL);
`

const steps = 100_000
const base = 2 * steps
const yearBase = 1_000_000_000

/** A smaller change of a probability is shown with the next examination, and is no reason for one. */
const notable = 0.05

/** What became of one: `notable` where findings should be looked at again. */
export type ProbabilityOutcome = 'kept' | 'unchanged' | 'changed' | 'notable'

/** In: a work database, within its transaction. Puts probabilities in; those of a day before the one that is there are left. */
export class ProbabilityWriter {
  private readonly statements
  private date: number

  constructor(database: DatabaseSync) {
    database.exec(probabilityTables)
    this.date = Number(database.prepare('SELECT coalesce(max(as_of), 0) AS date FROM probability_date').get()?.['date'] ?? 0)
    this.statements = {
      find: database.prepare('SELECT value FROM probabilities WHERE cve = ?'),
      put: database.prepare('INSERT INTO probabilities (cve, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value'),
      clearDate: database.prepare('DELETE FROM probability_date'),
      putDate: database.prepare('INSERT INTO probability_date (as_of) VALUES (?)'),
    }
  }

  put(cve: string, probability: number, percentile: number, asOf: string): ProbabilityOutcome {
    const key = keyOf(cve)
    const day = toSeconds(asOf) ?? 0
    if (key === undefined || day < this.date) return 'kept'
    const moved = this.moveTo(day)
    const value = Math.round(probability * steps) * base + Math.round(percentile * steps)
    const old = this.statements.find.get(key)?.['value'] as number | undefined
    if (old === value) return moved ? 'changed' : 'unchanged'
    this.statements.put.run(key, value)
    const before = old === undefined ? 0 : Math.floor(old / base) / steps
    return Math.abs(probability - before) >= notable ? 'notable' : 'changed'
  }

  /** Out: whether the day is another than before. */
  private moveTo(day: number): boolean {
    if (day === this.date) return false
    this.statements.clearDate.run()
    this.statements.putDate.run(day)
    this.date = day
    return true
  }
}

/** In: a revision, maybe of before there were any. Out: what to ask for a CVE's probability. */
export function probabilitiesOf(database: DatabaseSync): (id: string) => ExploitProbability | undefined {
  const table = database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'probability_date'").get()
  const date = table === undefined ? undefined : database.prepare('SELECT max(as_of) AS date FROM probability_date').get()?.['date']
  if (typeof date !== 'number') return () => undefined
  const find = database.prepare('SELECT value FROM probabilities WHERE cve = ?')
  return (id) => {
    const key = keyOf(id)
    const value = key === undefined ? undefined : find.get(key)?.['value']
    return typeof value === 'number' ? { ...decoded(value), date: fromSeconds(date) } : undefined
  }
}

/** Every one of a revision, for an export. */
export function* allProbabilities(database: DatabaseSync): Generator<{ cve: string } & ExploitProbability> {
  if (database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'probability_date'").get() === undefined) return
  for (const row of database.prepare('SELECT cve, value, as_of FROM probabilities, probability_date ORDER BY cve').iterate()) {
    const cve = Number(row['cve'])
    const number = String(cve % yearBase).padStart(4, '0')
    yield { cve: `CVE-${Math.floor(cve / yearBase)}-${number}`, ...decoded(Number(row['value'])), date: fromSeconds(Number(row['as_of'])) }
  }
}

function decoded(value: number): Pick<ExploitProbability, 'probability' | 'percentile'> {
  return { probability: Math.floor(value / base) / steps, percentile: (value % base) / steps }
}

function keyOf(cve: string): number | undefined {
  const match = /^CVE-(\d{4})-(\d{4,9})$/.exec(cve)
  return match === null ? undefined : Number(match[1]) * yearBase + Number(match[2])
}
