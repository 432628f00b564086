import type { Advisory, SeverityClaim } from '../model/advisory.ts'
import { isDistribution } from '../versions/ecosystem.ts'
import { dateOf, FieldError, hintsAt, type JsonObject, limits, objectAt, own, textOf, textsAt } from './fields.ts'
import { affectedPackages } from './osv-affected.ts'
import { addClaim, labelClaim, severityClaims } from './severity.ts'

export interface OsvOptions {
  /** File name of the source. */
  source: string
  /** Dates that lie more than a day after this instant are wrong, and count as missing. */
  now: Date
  /** ISO 8601, for a record without a `modified` of its own: the date of the data that it came in. */
  asOf?: string
}

/** Either the record's facts, or in words what was wrong and where. */
export type OsvResult = { advisory: Advisory } | { reason: string }

/**
 * In: one OSV record as parsed JSON, from anywhere. Out: its facts without prose, or the reason why not; it never throws.
 * A record is taken whole or not at all: half of one would say less than it does.
 * Spec: ossf.github.io/osv-schema 1.7.
 */
export function parseOsv(record: unknown, options: OsvOptions): OsvResult {
  try {
    return { advisory: readRecord(objectAt(record, 'record'), options) }
  } catch (error) {
    if (error instanceof FieldError) return { reason: error.message }
    throw error
  }
}

function readRecord(record: JsonObject, options: OsvOptions): Advisory {
  const id = idOf(own(record, 'id'))
  const affected = affectedPackages(record, id)
  const aliases = otherIds(record, 'aliases', id)
  return {
    id,
    aliases,
    upstream: upstreamOf(
      record,
      id,
      aliases,
      affected.some((entry) => isDistribution(entry.ecosystem)),
    ),
    ...datesOf(record, options),
    severity: recordSeverity(record),
    affected,
    malicious: id.startsWith('MAL-'),
    source: options.source,
  }
}

function idOf(value: unknown): string {
  const id = textOf(value, 'id')
  if (id.length > 255 || oddInId.test(id)) throw new FieldError('id', 'not an id')
  return id
}

/** What no database has in an id, and what would be read as more than a name where one is shown. */
const oddInId = /[\s\p{C}<>"'`&\\]/u

function otherIds(record: JsonObject, key: string, id: string): string[] {
  return [...new Set(textsAt(record, key, limits.ids, ''))].filter((other) => other !== id && !oddInId.test(other))
}

/**
 * Before OSV had `upstream`, distributions named the CVEs of an erratum in `related` (AlmaLinux, Rocky and older Ubuntu
 * and Debian records do), so there, and only where nothing else names one, `related` is read. In other records it
 * means "similar", which is no ground for a finding.
 */
function upstreamOf(record: JsonObject, id: string, aliases: string[], distribution: boolean): string[] {
  const upstream = otherIds(record, 'upstream', id)
  if (!distribution || upstream.length > 0 || aliases.length > 0) return upstream
  return otherIds(record, 'related', id).filter((other) => other.startsWith('CVE-'))
}

function datesOf(record: JsonObject, options: OsvOptions): Pick<Advisory, 'published' | 'modified' | 'withdrawn'> {
  const published = dateOf(own(record, 'published'), options.now)
  const modified = dateOf(own(record, 'modified'), options.now) ?? options.asOf
  const withdrawn = dateOf(own(record, 'withdrawn'), options.now)
  return {
    ...(published === undefined ? {} : { published }),
    ...(modified === undefined ? {} : { modified }),
    ...(withdrawn === undefined ? {} : { withdrawn }),
  }
}

function recordSeverity(record: JsonObject): SeverityClaim[] {
  const claims = severityClaims(record, '')
  const label = labelClaim(own(hintsAt(record, 'database_specific'), 'severity'))
  if (label !== undefined) addClaim(claims, label)
  return claims
}
