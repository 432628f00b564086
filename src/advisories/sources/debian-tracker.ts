import type { AffectedPackage, DistributionWord, RangeEvent, SeverityClaim } from '../../model/advisory.ts'
import type { Fact, Form, ReadContext } from '../form.ts'
import { isObject, type JsonObject, own } from '../fields.ts'
import { labelClaim } from '../severity.ts'
import { clearedPackage, notAffected } from './cleared.ts'
import { listedEcosystem, debianName, debianVersion } from './debian-names.ts'

/**
 * The security tracker's own export (security-tracker.debian.org/tracker/data/json), one member per source package:
 *
 *   "openssl": { "CVE-2024-5535": { "releases": { "bookworm": { "status": "resolved", "fixed_version": "3.0.14-1~deb12u1",
 *                                                              "urgency": "not yet assigned" } } } }
 *
 * Fixed in version `0` means never affected; `open` means affected without a fix; `undetermined` is no word either way.
 */
export const debianTracker = {
  name: 'debian',
  recognises: (first) =>
    isObject(first) &&
    Object.entries(first).some(
      ([name, flaws]) =>
        debianName.test(name) &&
        isObject(flaws) &&
        Object.entries(flaws).some(([id, flaw]) => flawId.test(id) && isObject(flaw) && 'releases' in flaw),
    ),
  async *read(values: AsyncIterable<unknown>, context: ReadContext): AsyncGenerator<Fact> {
    for await (const value of values) {
      for (const [name, flaws] of Object.entries(isObject(value) ? value : {})) {
        if (debianName.test(name) && isObject(flaws)) yield* packageFacts(name, flaws, context)
        else context.drop('not a source package', JSON.stringify(name.slice(0, 60)))
      }
    }
  },
} satisfies Form

const flawId = /^(?:CVE-\d{4}-\d{4,12}|TEMP-\d{1,10}-[0-9A-F]{1,12})$/

function* packageFacts(name: string, flaws: JsonObject, context: ReadContext): Generator<Fact> {
  for (const [id, flaw] of Object.entries(flaws)) {
    const releases = isObject(flaw) ? own(flaw, 'releases') : undefined
    if (!flawId.test(id) || !isObject(releases)) {
      context.drop('not a flaw of the tracker', `${name} ${id.slice(0, 40)}`)
      continue
    }
    const affected = Object.entries(releases).flatMap(([codename, state]) => affectedIn(codename, name, state, id, context))
    if (affected.length === 0) continue
    const upstream = id.startsWith('CVE-') ? [id] : []
    yield {
      kind: 'advisory',
      merge: 'package',
      advisory: {
        id: `DEBIAN-${id}`,
        aliases: [],
        upstream,
        modified: context.asOf,
        severity: [],
        affected,
        malicious: false,
        source: 'debian',
      },
    }
  }
}

function affectedIn(codename: string, name: string, value: unknown, id: string, context: ReadContext): AffectedPackage[] {
  const ecosystem = listedEcosystem(codename)
  if (ecosystem === undefined) return []
  const state: JsonObject = isObject(value) ? value : {}
  const events = eventsOf(state)
  if (events === notAffected) return [clearedPackage(ecosystem, name)]
  if (typeof events === 'string') {
    context.drop(events, `${ecosystem} ${name} ${id}`)
    return []
  }
  const severity = urgencyOf(state)
  const word = wordOf(state)
  return [
    {
      ecosystem,
      name,
      ranges: [{ type: 'ECOSYSTEM', events }],
      versions: [],
      ...(severity === undefined ? {} : { severity: [severity] }),
      ...(word === undefined ? {} : { word }),
    },
  ]
}

function eventsOf(state: JsonObject): RangeEvent[] | string {
  const status = own(state, 'status')
  if (status === 'open') return [{ introduced: '0' }]
  if (status === 'undetermined') return 'not determined yet'
  const fixed = own(state, 'fixed_version')
  if (status !== 'resolved' || typeof fixed !== 'string') return 'no known state'
  if (fixed === '0') return notAffected
  return debianVersion.test(fixed) ? [{ introduced: '0' }, { fixed }] : 'not a version'
}

/** `nodsa_reason` is there where the security team decided to publish nothing, and is empty where it gave no reason. */
function wordOf(state: JsonObject): DistributionWord | undefined {
  if (own(state, 'status') !== 'open') return undefined
  if (own(state, 'urgency') === 'end-of-life') return 'end-of-life'
  const reason = own(state, 'nodsa_reason')
  if (reason === 'ignored') return 'will-not-fix'
  if (reason === 'postponed') return 'postponed'
  return typeof own(state, 'nodsa') === 'string' ? 'no-advisory' : undefined
}

function urgencyOf(state: JsonObject): SeverityClaim | undefined {
  return labelClaim(own(state, 'urgency'))
}
