import type { Advisory, AffectedPackage, RangeEvent, SeverityClaim } from '../../model/advisory.ts'
import { dateOf, FieldError, isObject, type JsonObject, objectAt, own, textOf } from '../fields.ts'
import type { Coverage, Fact, Form, ReadContext } from '../form.ts'
import { parseOsv } from '../osv.ts'
import { artifactOf } from './artifacts.ts'

/*
 * What `lazaret advisories export` writes, for places without a network: a head, then one fact a line. Records are OSV
 * records, so that other tools read them too.
 *
 *   {"lazaretAdvisories": 1, "revision": "000007-20261124", "date": "2026-11-24T00:00:00Z"}
 *   {"coverage": {"ecosystem": "PyPI", "depth": "whole", "asOf": "…", "note": "…"}}
 *   {"exploited": "CVE-2024-3094", "addedOn": "…"}
 *   {"epss": "CVE-2024-3094", "probability": 0.8, "percentile": 0.99, "asOf": "…"}
 *   {"artifact": "d5ce1d0e…", "name": "commons-lang:commons-lang", "version": "2.6", "asOf": "…"}
 *   {"id": "PYSEC-2024-1", …, "database_specific": {"source": "osv"}}
 */
export const exportVersion = 1

export const exported = {
  name: 'export',
  recognises: (first) => isObject(first) && own(first, 'lazaretAdvisories') === exportVersion,
  async *read(values: AsyncIterable<unknown>, context: ReadContext): AsyncGenerator<Fact> {
    for await (const value of values) {
      if (isObject(value) && Object.hasOwn(value, 'lazaretAdvisories')) continue
      const fact = factOf(value, context)
      if (typeof fact === 'string') context.drop(fact, JSON.stringify(value).slice(0, 80))
      else yield fact
    }
  },
} satisfies Form

function factOf(value: unknown, context: ReadContext): Fact | string {
  try {
    const line = objectAt(value, 'line')
    if (Object.hasOwn(line, 'coverage'))
      return { kind: 'coverage', coverage: coverageOf(objectAt(own(line, 'coverage'), 'coverage'), context) }
    if (Object.hasOwn(line, 'exploited')) return exploitedOf(line, context)
    if (Object.hasOwn(line, 'epss')) return probabilityOf(line, context)
    if (Object.hasOwn(line, 'artifact')) return exportedArtifact(line, context)
    const hints = own(line, 'database_specific')
    const source = isObject(hints) ? own(hints, 'source') : undefined
    const result = parseOsv(line, {
      source: typeof source === 'string' && /^[a-z-]{1,32}$/.test(source) ? source : 'osv',
      now: context.now,
    })
    return 'advisory' in result ? { kind: 'advisory', advisory: result.advisory, merge: 'record' } : result.reason
  } catch (error) {
    if (error instanceof FieldError) return error.message
    throw error
  }
}

function coverageOf(value: JsonObject, context: ReadContext): Coverage {
  const depth = own(value, 'depth')
  const asOf = dateOf(own(value, 'asOf'), context.now)
  if (depth !== 'whole' && depth !== 'thin') throw new FieldError('coverage.depth', 'neither whole nor thin')
  if (asOf === undefined) throw new FieldError('coverage.asOf', 'not a date')
  return {
    ecosystem: textOf(own(value, 'ecosystem'), 'coverage.ecosystem'),
    depth,
    asOf,
    note: textOf(own(value, 'note'), 'coverage.note'),
  }
}

function exploitedOf(line: JsonObject, context: ReadContext): Fact {
  const cve = textOf(own(line, 'exploited'), 'exploited')
  if (!/^CVE-\d{4}-\d{4,12}$/.test(cve)) throw new FieldError('exploited', 'not a CVE id')
  return { kind: 'exploited', cve, addedOn: dateOf(own(line, 'addedOn'), context.now) ?? context.asOf }
}

function exportedArtifact(line: JsonObject, context: ReadContext): Fact | string {
  const [sha1, name, version] = ['artifact', 'name', 'version'].map((key) => textOf(own(line, key), key))
  return artifactOf(`${sha1} ${name?.replace(':', ' ')} ${version}`, dateOf(own(line, 'asOf'), context.now) ?? context.asOf)
}

function probabilityOf(line: JsonObject, context: ReadContext): Fact {
  const cve = textOf(own(line, 'epss'), 'epss')
  if (!/^CVE-\d{4}-\d{4,9}$/.test(cve)) throw new FieldError('epss', 'not a CVE id')
  const share = (key: string): number => {
    const value = own(line, key)
    if (typeof value !== 'number' || !(value >= 0 && value <= 1)) throw new FieldError(key, 'not between 0 and 1')
    return value
  }
  const asOf = dateOf(own(line, 'asOf'), context.now) ?? context.asOf
  return { kind: 'probability', cve, probability: share('probability'), percentile: share('percentile'), asOf }
}

/** In: a record. Out: the same as an OSV record, such that reading it gives the record again. */
export function osvOf(advisory: Advisory): JsonObject {
  return {
    schema_version: '1.7.0',
    id: advisory.id,
    ...(advisory.aliases.length === 0 ? {} : { aliases: advisory.aliases }),
    ...(advisory.upstream.length === 0 ? {} : { upstream: advisory.upstream }),
    ...(advisory.published === undefined ? {} : { published: advisory.published }),
    ...(advisory.modified === undefined ? {} : { modified: advisory.modified }),
    ...(advisory.withdrawn === undefined ? {} : { withdrawn: advisory.withdrawn }),
    ...severityOf(advisory.severity),
    affected: advisory.affected.map(osvAffected),
    database_specific: { source: advisory.source, ...labelOf(advisory.severity) },
  }
}

function osvAffected(affected: AffectedPackage): JsonObject {
  const claims = affected.severity ?? []
  const label = labelOf(claims)
  return {
    package: { ecosystem: affected.ecosystem, name: affected.name },
    ranges: affected.ranges.map((range) => ({ type: range.type, events: range.events.map(osvEvent) })),
    ...(affected.versions.length === 0 ? {} : { versions: affected.versions }),
    ...severityOf(claims),
    ...('severity' in label || affected.word !== undefined
      ? { ecosystem_specific: { ...label, ...(affected.word === undefined ? {} : { distribution_word: affected.word }) } }
      : {}),
  }
}

function osvEvent(event: RangeEvent): JsonObject {
  return 'lastAffected' in event ? { last_affected: event.lastAffected } : event
}

function severityOf(claims: readonly SeverityClaim[]): JsonObject {
  const vectors = claims.filter((claim) => claim.type !== 'label')
  return vectors.length === 0 ? {} : { severity: vectors.map((claim) => ({ type: claim.type, score: claim.value })) }
}

function labelOf(claims: readonly SeverityClaim[]): { severity?: string } {
  const label = claims.find((claim) => claim.type === 'label')
  return label === undefined ? {} : { severity: label.value }
}
