import type { DatabaseSync } from 'node:sqlite'
import { mostRevisions } from './changes.ts'
import { decodeFacts } from './rows.ts'

/**
 * What is worked out once an import has written everything: which further packages changed because the severity of a flaw
 * did, and the counts that the status shows. In: the work database, within its transaction.
 */
export function finishRevision(database: DatabaseSync, counter: number, changedIds: ReadonlySet<string>): void {
  if (changedIds.size > 0) touchDependents(database, counter, changedIds)
  // A package of which nothing is said any more stays as long as somebody may ask what changed.
  database.exec(`
    DELETE FROM packages WHERE id NOT IN (SELECT package FROM affects) AND changed < ${counter - mostRevisions};
    UPDATE ecosystems SET records = (SELECT count(DISTINCT record) FROM packages JOIN affects ON package = packages.id WHERE ecosystem = ecosystems.id);
    UPDATE sources SET records = 0;
    UPDATE sources SET records = made.n, newest = made.newest FROM (SELECT source, count(*) AS n, max(modified) AS newest FROM records GROUP BY source) AS made WHERE made.source = sources.id;
    DROP INDEX IF EXISTS affects_record;
    DROP INDEX IF EXISTS claims_record;
    ANALYZE;
  `)
}

function touchDependents(database: DatabaseSync, counter: number, changedIds: ReadonlySet<string>): void {
  const touch = database.prepare(
    'UPDATE packages SET changed = ?1 WHERE changed <> ?1 AND id IN (SELECT package FROM affects WHERE record = ?2)',
  )
  const records = database.prepare('SELECT id, name, facts FROM records WHERE withdrawn IS NULL')
  for (const row of records.iterate() as Iterable<{ id: number; name: string; facts: string | null }>) {
    const facts = decodeFacts(row.facts)
    if ([row.name, ...facts.aliases, ...facts.upstream].some((id) => changedIds.has(id))) touch.run(counter, row.id)
  }
}
