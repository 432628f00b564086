import type { Advisory } from '../../model/advisory.ts'
import { dateOf, FieldError, isObject, type JsonObject, limits, own, textOf, textsAt } from '../fields.ts'
import type { Form, ReadContext } from '../form.ts'
import { labelClaim } from '../severity.ts'
import { boundOf, eventsOf } from './bounds.ts'
import { factsOfRecords } from './records.ts'

/**
 * Security advisories of Hex packages (mirego/elixir-security-advisories), one file a record:
 *
 *   {"id": "GHSA-…", "package": "plug", "vulnerable_version_ranges": [">= 1.3.0, < 1.3.2"], "first_patched_versions": ["1.3.2"], …}
 */
export const elixir = {
  name: 'elixir',
  recognises: (first) => isObject(first) && 'vulnerable_version_ranges' in first && 'package' in first,
  read: (values: AsyncIterable<unknown>, context: ReadContext) =>
    factsOfRecords(values, context, 'id', (record) => ({ kind: 'advisory', advisory: advisoryOf(record, context), merge: 'record' })),
} satisfies Form

function advisoryOf(record: JsonObject, context: ReadContext): Advisory {
  const id = textOf(own(record, 'id'), 'id')
  if (!/^[\w.-]{1,100}$/.test(id)) throw new FieldError('id', 'not an id')
  const published = dateOf(own(record, 'disclosure_date'), context.now)
  const label = labelClaim(own(record, 'severity'))
  const ranges = textsAt(record, 'vulnerable_version_ranges', limits.ranges, '').map((range) => ({
    type: 'SEMVER' as const,
    events: eventsOf(
      range.split(',').map((part) => boundOf(part, 'vulnerable_version_ranges')),
      (version) => `${version}.0`,
    ),
  }))
  if (ranges.length === 0) throw new FieldError('vulnerable_version_ranges', 'empty')
  return {
    id: `ELIXIR-${id}`,
    aliases: [id],
    upstream: [],
    ...(published === undefined ? {} : { published }),
    modified: context.asOf,
    severity: label === undefined ? [] : [label],
    affected: [{ ecosystem: 'Hex', name: textOf(own(record, 'package'), 'package'), ranges, versions: [] }],
    malicious: false,
    source: 'elixir',
  }
}
