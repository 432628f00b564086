import {
  type AffectedPackage,
  type AffectedRange,
  type DistributionWord,
  distributionWords,
  type RangeEvent,
  type SeverityClaim,
} from '../model/advisory.ts'
import { isDistribution, normalName } from '../versions/ecosystem.ts'
import { isModular, streamsIn } from '../versions/modules.ts'
import { FieldError, hintsAt, type JsonObject, limits, listAt, objectAt, own, textOf, textsAt } from './fields.ts'
import { addClaim, labelClaim, severityClaims } from './severity.ts'

/**
 * In: an OSV record. Out: its `affected[]`, as far as it speaks of packages: entries that only name a Git repository, or
 * no version at all, are left out, for by the schema they cover no version of a package. A malicious package without
 * versions is malicious in all of them.
 */
export function affectedPackages(record: JsonObject, id: string): AffectedPackage[] {
  const found: AffectedPackage[] = []
  for (const [index, entry] of listAt(record, 'affected', limits.affected, '').entries()) {
    const affected = affectedPackage(objectAt(entry, `affected[${index}]`), `affected[${index}]`, id.startsWith('MAL-'))
    if (affected !== undefined) found.push({ ...affected, ...modulesOf(affected, record) })
  }
  return found
}

function affectedPackage(entry: JsonObject, where: string, malicious: boolean): AffectedPackage | undefined {
  const named = own(entry, 'package')
  if (named === undefined) return undefined
  const about = objectAt(named, `${where}.package`)
  const ecosystem = textOf(own(about, 'ecosystem'), `${where}.package.ecosystem`)
  const name = normalName(ecosystem, textOf(own(about, 'name'), `${where}.package.name`))
  const versions = [...new Set(textsAt(entry, 'versions', limits.versions, where))]
  const ranges = rangesOf(entry, where)
  if (malicious && ranges.length === 0 && versions.length === 0) ranges.push({ type: 'ECOSYSTEM', events: [{ introduced: '0' }] })
  const word = wordOf(entry)
  if (ranges.length === 0 && versions.length === 0 && word !== 'not-affected') return undefined
  const severity = packageSeverity(entry, where)
  return {
    ecosystem,
    name,
    ranges,
    versions,
    ...(severity.length === 0 ? {} : { severity }),
    ...(word === undefined ? {} : { word }),
  }
}

/** A fixed version that was built for a module speaks of that stream alone, and the title of the erratum names it. */
function modulesOf({ ecosystem, ranges }: AffectedPackage, record: JsonObject): { modules?: string[] } {
  if (!isDistribution(ecosystem) || !ranges.some(({ events }) => events.some((event) => 'fixed' in event && isModular(event.fixed))))
    return {}
  const title = own(record, 'summary')
  return { modules: typeof title === 'string' ? streamsIn(title.slice(0, 1000)).slice(0, 8) : [] }
}

/** GIT ranges say nothing of package versions, and must not hide the ranges beside them. */
function rangesOf(entry: JsonObject, where: string): AffectedRange[] {
  const ranges: AffectedRange[] = []
  for (const [index, value] of listAt(entry, 'ranges', limits.ranges, where).entries()) {
    const at = `${where}.ranges[${index}]`
    const range = objectAt(value, at)
    const type = own(range, 'type')
    if (type === 'GIT') continue
    if (type !== 'SEMVER' && type !== 'ECOSYSTEM') throw new FieldError(`${at}.type`, 'neither SEMVER, ECOSYSTEM nor GIT')
    ranges.push({ type, events: eventsOf(range, at) })
  }
  return ranges
}

function eventsOf(range: JsonObject, where: string): RangeEvent[] {
  const events = listAt(range, 'events', limits.events, where).flatMap((value, index) => {
    const at = `${where}.events[${index}]`
    return eventOf(objectAt(value, at), at)
  })
  if (!events.some((event) => 'introduced' in event)) throw new FieldError(`${where}.events`, 'no introduced')
  return events
}

/** One event may hold several keys, as older records do: each counts. A limit of `*` is none. */
function eventOf(event: JsonObject, where: string): RangeEvent[] {
  const found: RangeEvent[] = []
  const take = (key: string, make: (version: string) => RangeEvent): void => {
    const version = own(event, key)
    if (version !== undefined) found.push(make(textOf(version, `${where}.${key}`)))
  }
  take('introduced', (introduced) => ({ introduced }))
  take('fixed', (fixed) => ({ fixed }))
  take('last_affected', (lastAffected) => ({ lastAffected }))
  if (own(event, 'limit') === '*') return found
  take('limit', (limit) => ({ limit }))
  if (found.length === 0) throw new FieldError(where, 'none of introduced, fixed, last_affected, limit')
  return found
}

/** The record's word for this package: Debian's urgency, Ubuntu's and RustSec's severity, Bitnami's vectors. */
function packageSeverity(entry: JsonObject, where: string): SeverityClaim[] {
  const claims = severityClaims(entry, where)
  for (const holder of [hintsAt(entry, 'ecosystem_specific'), hintsAt(entry, 'database_specific')]) {
    for (const key of ['severity', 'urgency']) {
      const label = labelClaim(own(holder, key))
      if (label !== undefined) addClaim(claims, label)
    }
  }
  return claims
}

/** A distribution's word beside the versions: our own exports have it in words, Debian's records as an urgency. */
function wordOf(entry: JsonObject): DistributionWord | undefined {
  const hints = hintsAt(entry, 'ecosystem_specific')
  const word = own(hints, 'distribution_word') ?? own(hints, 'urgency')
  return distributionWords.find((known) => known === word)
}
