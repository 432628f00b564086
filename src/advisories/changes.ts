// What came from one revision to the next. It lies in the revision's own file, and goes along into the next one, which is made from it.
//
//   lineage    a row an import on the way to this revision: when, how many records it added, changed, withdrew …
//   news       the ids of these records, of the newest imports
//   packages   changed = counter of the revision that last changed what is said of it; one of which nothing is said any more
//              stays as long as revisions are remembered
import type { DatabaseSync, StatementSync } from 'node:sqlite'

/** Revisions that are remembered: with one an hour, some forty days. */
export const mostRevisions = 1000
/** Ids that are kept of all revisions together, the newest first. */
const mostNews = 50_000

const tables = `
CREATE TABLE IF NOT EXISTS lineage (counter INTEGER PRIMARY KEY, made_at INTEGER NOT NULL, added INTEGER NOT NULL, changed INTEGER NOT NULL, withdrawn INTEGER NOT NULL, flaws INTEGER NOT NULL, packages INTEGER NOT NULL, covered TEXT NOT NULL, dated INTEGER NOT NULL, artifacts INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS news (counter INTEGER NOT NULL, name TEXT NOT NULL, what TEXT NOT NULL, PRIMARY KEY (counter, name)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS packages_changed ON packages (changed);
`

export type NewsKind = 'added' | 'changed' | 'withdrawn'

/** How much came. */
export interface ChangeCounts {
  added: number
  changed: number
  withdrawn: number
  /** Ids that are now known to be exploited, or whose severity moved. */
  flaws: number
  /** Packages of which something else is said. */
  packages: number
}

/** From one revision to a later one. */
export interface ChangeSet {
  counts: ChangeCounts
  packages: { ecosystem: string; name: string }[]
  /** Ecosystems that are judged only since. */
  covered: string[]
  /** Whether some ecosystem's data is of a newer day. */
  dated: boolean
  /** Whether more files are known by their hash. */
  artifacts: boolean
}

/** Writes down what an import changes, in its work database and within its transaction. */
export class ChangeWriter {
  private readonly database: DatabaseSync
  private readonly counter: number
  private readonly note: StatementSync
  private readonly before: Standing

  /** In: the counter of the revision that is being made. */
  constructor(database: DatabaseSync, counter: number) {
    this.database = database
    this.counter = counter
    database.exec(tables)
    // What came first stays, but for a record that is taken back.
    this.note = database.prepare(
      `INSERT INTO news (counter, name, what) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET what = excluded.what WHERE excluded.what = 'withdrawn'`,
    )
    this.before = standingOf(database)
  }

  /** One that is new and withdrawn already changes nothing. */
  noteRecord({ id, withdrawn }: { id: string; withdrawn?: string }, became: 'added' | 'replaced'): void {
    const what: NewsKind = became === 'added' ? 'added' : 'changed'
    if (withdrawn === undefined) this.note.run(this.counter, id, what)
    else if (became === 'replaced') this.note.run(this.counter, id, 'withdrawn')
  }

  /**
   * In: how many flaws moved in severity or exploitation, and the time. To be called when all is written. Out: the ecosystems that are
   * judged only from now on.
   */
  finish(flaws: number, now: Date): string[] {
    const counts = new Map(
      (
        this.database.prepare('SELECT what, count(*) AS n FROM news WHERE counter = ? GROUP BY what').all(this.counter) as unknown as {
          what: NewsKind
          n: number
        }[]
      ).map(({ what, n }) => [what, n]),
    )
    const packages = this.database.prepare('SELECT count(*) AS n FROM packages WHERE changed = ?').get(this.counter) as { n: number }
    const after = standingOf(this.database)
    const covered = [...after.coverage.keys()].filter((ecosystem) => !this.before.coverage.has(ecosystem))
    const dated = [...after.coverage].some(([ecosystem, asOf]) => this.before.coverage.get(ecosystem) !== asOf)
    this.database
      .prepare('INSERT OR REPLACE INTO lineage VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
      .run(
        this.counter,
        now.getTime(),
        counts.get('added') ?? 0,
        counts.get('changed') ?? 0,
        counts.get('withdrawn') ?? 0,
        flaws,
        packages.n,
        JSON.stringify(covered),
        dated ? 1 : 0,
        after.artifacts === this.before.artifacts ? 0 : 1,
      )
    this.forget()
    return covered
  }

  private forget(): void {
    this.database.prepare('DELETE FROM lineage WHERE counter <= ?').run(this.counter - mostRevisions)
    const last = this.database.prepare('SELECT counter, name FROM news ORDER BY counter DESC, name LIMIT 1 OFFSET ?').get(mostNews) as
      | { counter: number; name: string }
      | undefined
    if (last !== undefined)
      this.database.prepare('DELETE FROM news WHERE counter < ?1 OR (counter = ?1 AND name >= ?2)').run(last.counter, last.name)
  }
}

interface Standing {
  coverage: Map<string, number>
  artifacts: number
}

function standingOf(database: DatabaseSync): Standing {
  const coverage = database.prepare('SELECT ecosystem, as_of FROM coverage').all() as unknown as { ecosystem: string; as_of: number }[]
  const artifacts = hasTable(database, 'artifacts') ? (database.prepare('SELECT count(*) AS n FROM artifacts').get() as { n: number }).n : 0
  return { coverage: new Map(coverage.map((row) => [row.ecosystem, row.as_of])), artifacts }
}

/**
 * In: a revision's database, its counter, that of an earlier one, and the packages that changed since. Out: what came after that one.
 * Of a revision in between that was no import, as an export taken in or a way back, the packages alone are known.
 */
export function changesAfter(
  database: DatabaseSync,
  { counter, since }: { counter: number; since: number },
  packages: ChangeSet['packages'],
): ChangeSet {
  const rows = hasTable(database, 'lineage')
    ? (database.prepare('SELECT * FROM lineage WHERE counter > ?').all(since) as unknown as LineageRow[])
    : []
  const sum = (of: (row: LineageRow) => number): number => rows.reduce((total, row) => total + of(row), 0)
  return {
    counts: {
      added: sum((row) => row.added),
      changed: sum((row) => row.changed),
      withdrawn: sum((row) => row.withdrawn),
      flaws: sum((row) => row.flaws),
      packages: packages.length,
    },
    packages,
    covered: [...new Set(rows.flatMap((row) => JSON.parse(row.covered) as string[]))],
    dated: rows.length < counter - since || rows.some((row) => row.dated === 1),
    artifacts: rows.some((row) => row.artifacts === 1),
  }
}

interface LineageRow {
  added: number
  changed: number
  withdrawn: number
  flaws: number
  covered: string
  dated: number
  artifacts: number
}

export interface NewsRow {
  id: string
  what: NewsKind
}

/** In: two counters, and where the page before ended. Out: ids of records that came between them, as far as they are kept, each once. */
export function newsBetween(
  database: DatabaseSync,
  { after, upTo }: { after: number; upTo: number },
  page: { after?: string; limit: number },
): NewsRow[] {
  if (!hasTable(database, 'news')) return []
  return database
    .prepare(
      // With max() SQLite takes the other columns from the row that has it.
      `SELECT name AS id, what, max(counter) FROM news WHERE counter > ? AND counter <= ? AND name > ? GROUP BY name ORDER BY name LIMIT ?`,
    )
    .all(after, upTo, page.after ?? '', page.limit)
    .map((row) => ({ id: String(row['id']), what: row['what'] as NewsKind }))
}

function hasTable(database: DatabaseSync, name: string): boolean {
  return database.prepare(`SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?`).get(name) !== undefined
}
