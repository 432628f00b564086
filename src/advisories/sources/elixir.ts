import type { Advisory } from '../../model/advisory.ts'
import { dateOf, FieldError, hintText, isObject, type JsonObject, limits, objectAt, own, textOf, textsAt } from '../fields.ts'
import type { Fact, Form, ReadContext } from '../form.ts'
import { labelClaim } from '../severity.ts'
import { boundOf, eventsOf } from './bounds.ts'

/**
 * Security advisories of Hex packages (mirego/elixir-security-advisories), one file a record:
 *
 *   {"id": "GHSA-…", "package": "plug", "vulnerable_version_ranges": [">= 1.3.0, < 1.3.2"], "first_patched_versions": ["1.3.2"], …}
 */
export const elixir = {
  name: 'elixir',
  recognises: (first) => isObject(first) && 'vulnerable_version_ranges' in first && 'package' in first,
  async *read(values: AsyncIterable<unknown>, context: ReadContext): AsyncGenerator<Fact> {
    for await (const value of values) {
      try {
        yield { kind: 'advisory', advisory: advisoryOf(objectAt(value, 'record'), context), merge: 'record' }
      } catch (error) {
        if (!(error instanceof FieldError)) throw error
        context.drop(error.message.replaceAll(/\[\d+\]/g, '[]'), isObject(value) ? hintText(own(value, 'id')) : 'a record')
      }
    }
  },
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
