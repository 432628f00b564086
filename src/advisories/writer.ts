import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Advisory } from '../model/advisory.ts'
import { isDistribution } from '../versions/ecosystem.ts'
import type { Coverage, Merge } from './form.ts'
import { type Artifact, ArtifactWriter } from './artifacts.ts'
import { type ProbabilityOutcome, ProbabilityWriter } from './probabilities.ts'
import {
  decodeFacts,
  decodePackage,
  encodeFacts,
  encodePackage,
  factsOf,
  mergeFacts,
  mergePackage,
  type PackageFacts,
  type RecordFacts,
} from './rows.ts'
import { toSeconds } from './time.ts'

/** What became of a record: `kept` means that what was there is newer. */
export type Outcome = 'added' | 'replaced' | 'unchanged' | 'kept'

interface Known {
  id: number
  modified: number
  withdrawn: number | null
  facts: string | null
}

/**
 * Writes records into a work database, within one transaction that the caller opens. The newest `modified` wins; on a
 * tie, the one that came last.
 */
export class AdvisoryWriter {
  /** Ids whose severity or known exploitation changed: findings elsewhere may rest on them. */
  readonly changedIds = new Set<string>()
  private readonly counter: number
  private readonly statements: ReturnType<typeof prepare>
  private readonly probabilities: ProbabilityWriter
  private readonly artifacts: ArtifactWriter
  private readonly ecosystems = new Map<string, number>()
  private readonly sources = new Map<string, number>()
  /** `record package` pairs that this import wrote with merge `package`. */
  private readonly written = new Set<string>()

  /** @param counter of the revision that is being made */
  constructor(database: DatabaseSync, counter: number) {
    this.counter = counter
    database.exec(
      'CREATE INDEX IF NOT EXISTS affects_record ON affects (record); CREATE INDEX IF NOT EXISTS claims_record ON claims (record)',
    )
    this.statements = prepare(database)
    this.probabilities = new ProbabilityWriter(database)
    this.artifacts = new ArtifactWriter(database)
  }

  put(advisory: Advisory, merge: Merge): Outcome {
    const known = this.statements.record.get(advisory.id) as Known | undefined
    const modified = toSeconds(advisory.modified) ?? 0
    if (known === undefined) {
      this.insert(advisory, modified, merge)
      return 'added'
    }
    if (merge === 'package') return this.join(known, advisory, modified)
    return known.modified > modified ? 'kept' : this.replace(known, advisory, modified)
  }

  putExploited(cve: string, addedOn: string): boolean {
    const changes = this.statements.putExploited.run(cve, toSeconds(addedOn) ?? 0).changes
    if (Number(changes) > 0) this.changedIds.add(cve)
    return Number(changes) > 0
  }

  putProbability(cve: string, probability: number, percentile: number, asOf: string): ProbabilityOutcome {
    const outcome = this.probabilities.put(cve, probability, percentile, asOf)
    if (outcome === 'notable') this.changedIds.add(cve)
    return outcome
  }

  putArtifact(sha1: string, artifact: Artifact, asOf: string): boolean {
    return this.artifacts.put(sha1, artifact, asOf)
  }

  /** The newest word stands; `whole` is not taken back by an older or thinner one. */
  putCoverage(coverage: Coverage): boolean {
    return (
      Number(this.statements.putCoverage.run(coverage.ecosystem, coverage.depth, toSeconds(coverage.asOf) ?? 0, coverage.note).changes) > 0
    )
  }

  /** What is covered whole of a family (`Debian` for `Debian:12`) is known to be of this day still. */
  refreshCoverage(family: string, asOf: string): boolean {
    return Number(this.statements.refreshCoverage.run(toSeconds(asOf) ?? 0, family).changes) > 0
  }

  private insert(advisory: Advisory, modified: number, merge: Merge): void {
    const facts = factsOf(advisory)
    const record = Number(
      this.statements.insertRecord.run(
        advisory.id,
        this.sourceId(advisory.source),
        modified,
        toSeconds(advisory.published) ?? null,
        toSeconds(advisory.withdrawn) ?? null,
        encodeFacts(facts),
      ).lastInsertRowid,
    )
    this.writeClaims(record, advisory, facts)
    for (const [id, body] of this.packageRows(advisory)) this.writeAffects(id, record, body, merge)
  }

  /** The whole truth about the id: what it no longer says is gone. */
  private replace(known: Known, advisory: Advisory, modified: number): Outcome {
    const facts = factsOf(advisory)
    const text = encodeFacts(facts)
    const rows = this.packageRows(advisory)
    const old = this.statements.affectsOf.all(known.id) as unknown as { package: number; body: string }[]
    const same =
      known.facts === text &&
      known.withdrawn === (toSeconds(advisory.withdrawn) ?? null) &&
      old.length === rows.size &&
      old.every((row) => rows.get(row.package) === row.body)
    if (same && known.modified === modified) return 'unchanged'
    this.updateRecord(known, advisory, modified, facts)
    for (const row of old) {
      this.statements.deleteAffects.run(row.package, known.id)
      this.statements.touch.run(this.counter, row.package)
    }
    for (const [id, body] of rows) this.writeAffects(id, known.id, body, 'record')
    return 'replaced'
  }

  /**
   * A word on some packages: theirs is exchanged, or added to where this import spoke of it before. Where the record is
   * newer than the word, only packages that it is silent on are added: it may well be another branch's.
   */
  private join(known: Known, advisory: Advisory, modified: number): Outcome {
    const facts = mergeFacts(decodeFacts(known.facts), factsOf(advisory))
    const older = known.modified > modified
    let rows = 0
    for (const [id, body] of this.packageRows(advisory)) {
      const old = (this.statements.affectsOne.get(id, known.id) as { body: string } | undefined)?.body
      const again = this.written.has(`${known.id} ${id}`)
      if (older && old !== undefined && !again) continue
      const next = old !== undefined && again ? encodePackage(mergePackage(decodePackage(old), decodePackage(body))) : body
      this.written.add(`${known.id} ${id}`)
      if (next === old) continue
      rows++
      this.writeAffects(id, known.id, next, 'package')
    }
    if (rows === 0 && (older || (known.facts === encodeFacts(facts) && known.withdrawn === null))) return older ? 'kept' : 'unchanged'
    // Its other names, or its severity, are those of all packages that it speaks of.
    if (known.facts !== encodeFacts(facts))
      for (const row of this.statements.affectsOf.all(known.id) as unknown as { package: number }[])
        this.statements.touch.run(this.counter, row.package)
    this.updateRecord(known, advisory, Math.max(known.modified, modified), facts)
    return 'replaced'
  }

  private updateRecord(known: Known, advisory: Advisory, modified: number, facts: RecordFacts): void {
    this.statements.updateRecord.run(
      this.sourceId(advisory.source),
      modified,
      toSeconds(advisory.published) ?? null,
      toSeconds(advisory.withdrawn) ?? null,
      encodeFacts(facts),
      known.id,
    )
    for (const row of this.statements.claimsOf.all(known.id) as unknown as { alias: string }[]) this.changedIds.add(row.alias)
    this.statements.deleteClaims.run(known.id)
    this.writeClaims(known.id, advisory, facts)
  }

  private writeClaims(record: number, advisory: Advisory, facts: RecordFacts): void {
    if (advisory.withdrawn !== undefined || facts.severity.length + facts.packageSeverity.length === 0) return
    if (advisory.affected.some((affected) => isDistribution(affected.ecosystem))) return
    for (const alias of new Set([advisory.id, ...facts.aliases, ...facts.upstream])) {
      this.statements.insertClaim.run(alias, record)
      this.changedIds.add(alias)
    }
  }

  private writeAffects(packageId: number, record: number, body: string, merge: Merge): void {
    this.statements.putAffects.run(packageId, record, body)
    this.statements.touch.run(this.counter, packageId)
    if (merge === 'package') this.written.add(`${record} ${packageId}`)
  }

  /** Out: package id → what is said of it. A withdrawn record says nothing. */
  private packageRows(advisory: Advisory): Map<number, string> {
    const packages = new Map<number, PackageFacts>()
    for (const { ecosystem, name, ...facts } of advisory.withdrawn === undefined ? advisory.affected : []) {
      const id = this.packageId(ecosystem, name)
      const known = packages.get(id)
      packages.set(id, known === undefined ? facts : mergePackage(known, facts))
    }
    return new Map([...packages].map(([id, facts]) => [id, encodePackage(facts)]))
  }

  private packageId(ecosystem: string, name: string): number {
    const inside = this.numbered(this.ecosystems, ecosystem, this.statements.ecosystem, this.statements.insertEcosystem)
    const known = this.statements.package.get(inside, name) as { id: number } | undefined
    return known?.id ?? Number(this.statements.insertPackage.run(inside, name, this.counter).lastInsertRowid)
  }

  private sourceId(name: string): number {
    return this.numbered(this.sources, name, this.statements.source, this.statements.insertSource)
  }

  private numbered(known: Map<string, number>, name: string, find: StatementSync, insert: StatementSync): number {
    const held = known.get(name)
    if (held !== undefined) return held
    const found = find.get(name) as { id: number } | undefined
    const id = found?.id ?? Number(insert.run(name).lastInsertRowid)
    known.set(name, id)
    return id
  }
}

function prepare(database: DatabaseSync) {
  return {
    record: database.prepare('SELECT id, modified, withdrawn, facts FROM records WHERE name = ?'),
    insertRecord: database.prepare('INSERT INTO records (name, source, modified, published, withdrawn, facts) VALUES (?, ?, ?, ?, ?, ?)'),
    updateRecord: database.prepare('UPDATE records SET source = ?, modified = ?, published = ?, withdrawn = ?, facts = ? WHERE id = ?'),
    affectsOf: database.prepare('SELECT package, body FROM affects WHERE record = ?'),
    affectsOne: database.prepare('SELECT body FROM affects WHERE package = ? AND record = ?'),
    putAffects: database.prepare(
      'INSERT INTO affects (package, record, body) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET body = excluded.body',
    ),
    deleteAffects: database.prepare('DELETE FROM affects WHERE package = ? AND record = ?'),
    touch: database.prepare('UPDATE packages SET changed = ? WHERE id = ?'),
    claimsOf: database.prepare('SELECT alias FROM claims WHERE record = ?'),
    deleteClaims: database.prepare('DELETE FROM claims WHERE record = ?'),
    insertClaim: database.prepare('INSERT OR IGNORE INTO claims (alias, record) VALUES (?, ?)'),
    ecosystem: database.prepare('SELECT id FROM ecosystems WHERE name = ?'),
    insertEcosystem: database.prepare('INSERT INTO ecosystems (name) VALUES (?)'),
    source: database.prepare('SELECT id FROM sources WHERE name = ?'),
    insertSource: database.prepare('INSERT INTO sources (name) VALUES (?)'),
    package: database.prepare('SELECT id FROM packages WHERE ecosystem = ? AND name = ?'),
    insertPackage: database.prepare('INSERT INTO packages (ecosystem, name, changed) VALUES (?, ?, ?)'),
    putExploited: database.prepare('INSERT INTO exploited (cve, added) VALUES (?, ?) ON CONFLICT DO NOTHING'),
    refreshCoverage: database.prepare(
      "UPDATE coverage SET as_of = ?1 WHERE as_of < ?1 AND depth = 'whole' AND (ecosystem = ?2 OR substr(ecosystem, 1, length(?2) + 1) = ?2 || ':')",
    ),
    putCoverage: database.prepare(`
      INSERT INTO coverage (ecosystem, depth, as_of, note) VALUES (?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET depth = excluded.depth, as_of = excluded.as_of, note = excluded.note
      WHERE excluded.as_of >= as_of AND (excluded.depth = 'whole' OR depth = 'thin') AND (excluded.as_of, excluded.depth, excluded.note) <> (as_of, depth, note)`),
  }
}
