// What another database says otherwise than the one in force, package by package: for a revision that was not made from it.
import type { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'

/** A smaller change of a probability is no reason for another look (see probabilities.ts). */
const notable = 0.05
/** A probability is kept as p × 10⁵ × 2·10⁵ + percentile × 10⁵. */
const probabilityUnit = 100_000 * 200_000

export interface Differences {
  /** Whether they say the same throughout. */
  none: boolean
  /** Of records, those that are not withdrawn. */
  added: number
  replaced: number
  removed: number
  unchanged: number
  /** Ids whose severity, known exploitation or probability is another: findings elsewhere may rest on them. */
  changedIds: Set<string>
  /** Whether something differs that is no package's own: what is covered, or which files are known by their hash. */
  everywhere: boolean
}

/**
 * In: a work database within its transaction, the file of the revision in force, and the counter of the one to be made. Sets
 * `packages.changed`: of a package of which the two say the same, to what it was there; of any other, to the counter.
 */
export function markDifferences(database: DatabaseSync, before: string, counter: number): Differences {
  database.prepare('ATTACH ? AS old').run(`${pathToFileURL(before).href}?mode=ro&immutable=1`)
  try {
    database.exec('BEGIN')
    addMissingPackages(database)
    database.exec(pairs)
    database.exec(moved)
    markPackages(database, counter)
    for (const table of ['lineage', 'news']) takeOver(database, table)
    const found = describe(database)
    database.exec(`COMMIT; ${dropPairs}`)
    return found
  } finally {
    if (database.isTransaction) database.exec('ROLLBACK')
    database.exec('DETACH old')
  }
}

/** A package that is spoken of no more has changed too, and needs its row to say so. */
function addMissingPackages(database: DatabaseSync): void {
  database.exec(`
    INSERT OR IGNORE INTO main.ecosystems (name) SELECT name FROM old.ecosystems;
    INSERT OR IGNORE INTO main.packages (ecosystem, name, changed)
      SELECT mine.id, theirs.name, theirs.changed FROM old.packages theirs JOIN old.ecosystems its ON its.id = theirs.ecosystem
      JOIN main.ecosystems mine ON mine.name = its.name;
  `)
}

/** What came when is of the revision before, whose numbers go on; the other's have another meaning (see changes.ts). */
function takeOver(database: DatabaseSync, table: string): void {
  database.exec(`DROP TABLE IF EXISTS main.${table}`)
  const made = database.prepare(`SELECT sql FROM old.sqlite_schema WHERE type = 'table' AND name = ?`).get(table)?.['sql']
  if (typeof made === 'string') database.exec(`${made}; INSERT INTO main.${table} SELECT * FROM old.${table}`)
}

/** Which row here is which row there: packages by name, records where all is the same but the number. */
const pairs = `
  CREATE TEMP TABLE package_pairs (new INTEGER PRIMARY KEY, old INTEGER NOT NULL UNIQUE);
  INSERT INTO package_pairs SELECT mine.id, theirs.id FROM old.packages theirs JOIN old.ecosystems its ON its.id = theirs.ecosystem
    JOIN main.ecosystems ours ON ours.name = its.name JOIN main.packages mine ON mine.ecosystem = ours.id AND mine.name = theirs.name;
  CREATE TEMP TABLE record_pairs (new INTEGER PRIMARY KEY, old INTEGER NOT NULL UNIQUE);
  INSERT INTO record_pairs SELECT n.id, o.id FROM main.records n JOIN old.records o ON o.name = n.name
    JOIN main.sources ns ON ns.id = n.source JOIN old.sources os ON os.id = o.source
    WHERE ns.name = os.name AND n.modified = o.modified AND n.published IS o.published AND n.withdrawn IS o.withdrawn AND n.facts IS o.facts;
`

const moved = `
  CREATE TEMP TABLE moved (package INTEGER PRIMARY KEY, record INTEGER);
  INSERT OR IGNORE INTO moved SELECT a.package, a.record FROM main.affects a LEFT JOIN package_pairs p ON p.new = a.package
    LEFT JOIN record_pairs r ON r.new = a.record LEFT JOIN old.affects o ON o.package = p.old AND o.record = r.old WHERE o.body IS NOT a.body;
  INSERT OR IGNORE INTO moved SELECT p.new, NULL FROM old.affects o JOIN package_pairs p ON p.old = o.package
    LEFT JOIN record_pairs r ON r.old = o.record LEFT JOIN main.affects a ON a.package = p.new AND a.record = r.new WHERE a.body IS NOT o.body;
`

const dropPairs = 'DROP TABLE temp.package_pairs; DROP TABLE temp.record_pairs; DROP TABLE temp.moved;'

function markPackages(database: DatabaseSync, counter: number): void {
  database
    .prepare(`
      UPDATE main.packages SET changed = CASE WHEN id IN (SELECT package FROM temp.moved) THEN ?1
        ELSE coalesce((SELECT theirs.changed FROM temp.package_pairs JOIN old.packages theirs ON theirs.id = package_pairs.old WHERE new = main.packages.id), 0) END`)
    .run(counter)
}

function describe(database: DatabaseSync): Differences {
  const count = (query: string): number => Number(database.prepare(query).get()?.['n'])
  const unchanged = count('SELECT count(*) AS n FROM record_pairs JOIN main.records ON id = new WHERE withdrawn IS NULL')
  const named = count(
    'SELECT count(*) AS n FROM main.records n JOIN old.records o ON o.name = n.name WHERE n.withdrawn IS NULL AND o.withdrawn IS NULL',
  )
  const [here, there] = ['main', 'old'].map((schema) => count(`SELECT count(*) AS n FROM ${schema}.records WHERE withdrawn IS NULL`)) as [
    number,
    number,
  ]
  const changedIds = changedIdsOf(database)
  const everywhere = differs(database, 'coverage', ['ecosystem', 'depth']) || differs(database, 'artifacts')
  const packages = count('SELECT count(*) AS n FROM moved')
  const records = count('SELECT count(*) AS n FROM main.records') !== count('SELECT count(*) AS n FROM record_pairs')
  const gone = count('SELECT count(*) AS n FROM old.records') !== count('SELECT count(*) AS n FROM record_pairs')
  const tables = ['coverage', 'exploited', 'probabilities', 'probability_date', 'artifact_date'].some((table) => differs(database, table))
  return {
    none: packages === 0 && changedIds.size === 0 && !records && !gone && !everywhere && !tables,
    added: here - named,
    replaced: named - unchanged,
    removed: there - named,
    unchanged,
    changedIds,
    everywhere,
  }
}

function changedIdsOf(database: DatabaseSync): Set<string> {
  const ids = new Set<string>()
  const take = (query: string): void => {
    for (const row of database.prepare(query).iterate() as unknown as Iterable<{ id: string }>) ids.add(row.id)
  }
  take('SELECT DISTINCT alias AS id FROM main.claims WHERE record NOT IN (SELECT new FROM record_pairs)')
  take('SELECT DISTINCT alias AS id FROM old.claims WHERE record NOT IN (SELECT old FROM record_pairs)')
  for (const [one, other] of sides) take(`SELECT cve AS id FROM ${one}.exploited WHERE cve NOT IN (SELECT cve FROM ${other}.exploited)`)
  for (const cve of changedProbabilities(database)) ids.add(cve)
  return ids
}

const sides = [
  ['main', 'old'],
  ['old', 'main'],
] as const

function changedProbabilities(database: DatabaseSync): string[] {
  if (!sides.every(([schema]) => columnsOf(database, schema, 'probabilities') !== '')) return []
  const apart = notable * probabilityUnit
  const rows = sides.flatMap(([one, other]) =>
    database
      .prepare(
        `SELECT o.cve AS cve FROM ${one}.probabilities o LEFT JOIN ${other}.probabilities t ON t.cve = o.cve WHERE abs(o.value - coalesce(t.value, 0)) >= ${apart}`,
      )
      .all(),
  )
  return rows.map(({ cve }) => `CVE-${Math.floor(Number(cve) / 1e9)}-${String(Number(cve) % 1e9).padStart(4, '0')}`)
}

/** Whether a table has other rows, or other columns; one that neither has is the same in both. */
function differs(database: DatabaseSync, table: string, only?: readonly string[]): boolean {
  const all = columnsOf(database, 'main', table)
  if (all !== columnsOf(database, 'old', table)) return true
  if (all === '') return false
  const columns = only?.join(', ') ?? all
  return sides.some(
    ([one, other]) =>
      database
        .prepare(`SELECT 1 FROM (SELECT ${columns} FROM ${one}.${table} EXCEPT SELECT ${columns} FROM ${other}.${table}) LIMIT 1`)
        .get() !== undefined,
  )
}

function columnsOf(database: DatabaseSync, schema: string, table: string): string {
  return database
    .prepare(`PRAGMA ${schema}.table_info(${table})`)
    .all()
    .map(({ name }) => `"${String(name)}"`)
    .join(', ')
}
