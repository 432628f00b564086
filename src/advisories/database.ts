import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { LazaretError } from '../kit/errors.ts'
import type { Advisory, AdvisoryReader, SourcedClaim } from '../model/advisory.ts'
import { isDistribution, normalName, spellingsOf } from '../versions/ecosystem.ts'
import { type Artifact, artifactsOf } from './artifacts.ts'
import { changesAfter, type ChangeSet, mostRevisions } from './changes.ts'
import type { Coverage } from './form.ts'
import { Lru } from './lru.ts'
import { probabilitiesOf } from './probabilities.ts'
import { currentRevision, listRevisions, type Revision, revisionPath } from './revisions.ts'
import { decodeFacts, decodePackage } from './rows.ts'
import { openRevision, unreadable } from './schema.ts'
import { addClaim } from './severity.ts'
import { type AdvisoryStatus, statusOfDatabase } from './status.ts'
import { fromSeconds } from './time.ts'

/** One revision, open. It never changes, nor may what it hands out be changed; ask `currentRevision` whether a newer one is in force, and open that. */
export interface OpenAdvisories extends AdvisoryReader {
  /** How well an ecosystem is judged, and how old the data is; undefined where nothing judges it. */
  coverage(ecosystem: string): Coverage | undefined
  /**
   * The packages on which something changed after a revision, among them those whose flaws changed in severity or became
   * known to be exploited; `all` where this can't be told.
   */
  changedSince(revision: string): { ecosystem: string; name: string }[] | 'all'
  /** The same with all that came besides. */
  changesSince(revision: string): ChangeSet | 'all'
  /** What the bytes of a hash (SHA-1, hex) were published as; none where that is not known. */
  artifactsBy(sha1: string): Artifact[]
  status(): AdvisoryStatus
  close(): void
}

/** Names of packages whose advisories are held decoded: some ten images' worth. */
const heldPackages = 4096

/**
 * In: the data folder. Out: the revision in force, read-only; it holds no lock, so imports and other readers don't wait.
 * Throws UNAVAILABLE where there is none (`ensureDatabase` lays one down) or it is damaged; every answer that can't be
 * read throws UNAVAILABLE too: silence would look like "no flaws".
 */
export function openAdvisories(dataFolder: string): OpenAdvisories {
  const revision = currentRevision(dataFolder)
  if (revision === undefined) throw new LazaretError('UNAVAILABLE', `there is no advisory database in ${dataFolder}`)
  return openRevisionFile(revisionPath(dataFolder, revision), revision)
}

/** In: the name of a revision. Out: it, where it is kept; undefined where it is gone. */
export function openKept(dataFolder: string, name: string): OpenAdvisories | undefined {
  const kept = listRevisions(dataFolder).find(({ revision }) => revision === name)
  return kept === undefined ? undefined : openRevisionFile(revisionPath(dataFolder, kept), kept)
}

function openRevisionFile(path: string, revision: Revision): OpenAdvisories {
  const database = openRevision(path)
  const read = guarded(path)
  const statements = read(() => prepare(database))
  const coverage = read(() => coverageOf(database))
  const ecosystems = read(() => ecosystemIds(database))
  const artifacts = read(() => artifactsOf(database))
  const probability = read(() => probabilitiesOf(database))
  const advisories = new Lru<string, Advisory[]>(heldPackages)
  const claims = new Lru<string, SourcedClaim[]>(heldPackages)
  return {
    revision: revision.revision,
    date: revision.date,
    covers: (ecosystem) => coverageFor(coverage, ecosystem) !== undefined,
    coverage: (ecosystem) => coverageFor(coverage, ecosystem),
    about: (ecosystem, name) =>
      advisories.get(`${ecosystem}\n${name}`, () => read(() => readAbout(statements.about, ecosystems, ecosystem, name))),
    severityOf: (ids) => {
      const found: SourcedClaim[] = []
      for (const id of ids) for (const claim of claims.get(id, () => read(() => readClaims(statements.claims, id)))) addClaim(found, claim)
      return found
    },
    isKnownExploited: (id) => read(() => statements.exploited.get(id) !== undefined),
    exploitProbability: (id) => read(() => probability(id)),
    changedSince: (since) => read(() => changedSince(database, revision, since)),
    changesSince: (since) => read(() => changesSince(database, revision, since)),
    artifactsBy: (sha1) => read(() => artifacts(sha1)),
    status: () => read(() => statusOfDatabase(database, revision)),
    close: () => database.close(),
  }
}

function prepare(database: DatabaseSync) {
  return {
    about: database.prepare(`
      SELECT records.name, sources.name AS source, modified, published, facts, body
      FROM packages JOIN affects ON package = packages.id JOIN records ON records.id = record JOIN sources ON sources.id = source
      WHERE ecosystem = ? AND packages.name = ? AND withdrawn IS NULL ORDER BY records.name`),
    claims: database.prepare(
      'SELECT records.name AS id, sources.name AS source, facts FROM claims JOIN records ON records.id = record JOIN sources ON sources.id = source WHERE alias = ? ORDER BY records.name',
    ),
    exploited: database.prepare('SELECT 1 FROM exploited WHERE cve = ?'),
  }
}

interface AboutRow {
  name: string
  source: string
  modified: number
  published: number | null
  facts: string | null
  body: string
}

/** Out: the records that speak of a package, each cut to what it says of this package. */
function readAbout(statement: StatementSync, ecosystems: ReadonlyMap<string, number>, ecosystem: string, name: string): Advisory[] {
  const spelled = normalName(ecosystem, name)
  const found: Advisory[] = []
  for (const known of spellingsOf(ecosystem)) {
    const id = ecosystems.get(known)
    if (id === undefined) continue
    // Databases of before keep some names as their records spell them.
    for (const kept of new Set([spelled, name])) {
      for (const row of statement.all(id, kept) as unknown as AboutRow[]) found.push(advisoryOf(row, known, spelled))
    }
  }
  return found
}

function advisoryOf(row: AboutRow, ecosystem: string, name: string): Advisory {
  const { aliases, upstream, severity } = decodeFacts(row.facts)
  return {
    id: row.name,
    aliases,
    upstream,
    ...(row.published === null ? {} : { published: fromSeconds(row.published) }),
    ...(row.modified === 0 ? {} : { modified: fromSeconds(row.modified) }),
    severity,
    affected: [{ ecosystem, name, ...decodePackage(row.body) }],
    malicious: row.name.startsWith('MAL-'),
    source: row.source,
  }
}

function readClaims(statement: StatementSync, alias: string): SourcedClaim[] {
  const found: SourcedClaim[] = []
  for (const { id, source, ...row } of statement.all(alias) as unknown as { id: string; source: string; facts: string | null }[]) {
    const facts = decodeFacts(row.facts)
    for (const claim of [...facts.severity, ...facts.packageSeverity]) addClaim(found, { ...claim, id, source })
  }
  return found
}

function coverageOf(database: DatabaseSync): Map<string, Coverage> {
  const rows = database.prepare('SELECT ecosystem, depth, as_of, note FROM coverage').all() as unknown as {
    ecosystem: string
    depth: 'whole' | 'thin'
    as_of: number
    note: string
  }[]
  return new Map(
    rows.map((row) => [row.ecosystem, { ecosystem: row.ecosystem, depth: row.depth, asOf: fromSeconds(row.as_of), note: row.note }]),
  )
}

/** Of a release whose records name repositories: the first of these that is covered. */
function coverageFor(coverage: ReadonlyMap<string, Coverage>, ecosystem: string): Coverage | undefined {
  const names = [...spellingsOf(ecosystem)].filter((name) => name === ecosystem || (isDistribution(name) && name.includes(':')))
  const known = names.find((name) => coverage.has(name))
  return known === undefined ? undefined : coverage.get(known)
}

function ecosystemIds(database: DatabaseSync): Map<string, number> {
  const rows = database.prepare('SELECT id, name FROM ecosystems').all() as unknown as { id: number; name: string }[]
  return new Map(rows.map((row) => [row.name, row.id]))
}

function changesSince(database: DatabaseSync, revision: Revision, since: string): ChangeSet | 'all' {
  const packages = changedSince(database, revision, since)
  return packages === 'all' ? 'all' : changesAfter(database, { counter: revision.counter, since: counterOf(since) }, packages)
}

/** Out: 0 for what is no name of a revision. */
export function counterOf(revision: string): number {
  return /^\d{6,}-/.test(revision) ? Number.parseInt(revision, 10) : 0
}

function changedSince(database: DatabaseSync, revision: Revision, since: string): { ecosystem: string; name: string }[] | 'all' {
  const counter = counterOf(since)
  // A name of this number but of another day is of another folder's revision.
  const isForeign = counter === revision.counter && since !== revision.revision
  if (counter < Math.max(revision.wholeSince, revision.counter - mostRevisions) || counter > revision.counter || isForeign) return 'all'
  const rows = database
    .prepare(
      'SELECT ecosystems.name AS ecosystem, packages.name AS name FROM packages JOIN ecosystems ON ecosystems.id = ecosystem WHERE changed > ?',
    )
    .all(counter)
  return (rows as unknown as { ecosystem: string; name: string }[]).map(({ ecosystem, name }) => ({ ecosystem, name }))
}

function guarded(path: string): <T>(read: () => T) => T {
  return (read) => {
    try {
      return read()
    } catch (error) {
      throw unreadable(path, error)
    }
  }
}
