import type { Fact, Form, ReadContext } from '../form.ts'
import { dateOf, isObject, own } from '../fields.ts'

/** CISA's catalog of known exploited vulnerabilities (cisa.gov/known-exploited-vulnerabilities-catalog). */
export const kev = {
  name: 'kev',
  recognises: (first) =>
    isObject(first) && Array.isArray(own(first, 'vulnerabilities')) && ('catalogVersion' in first || 'dateReleased' in first),
  async *read(values: AsyncIterable<unknown>, context: ReadContext): AsyncGenerator<Fact> {
    for await (const catalog of values) {
      const entries = isObject(catalog) ? own(catalog, 'vulnerabilities') : undefined
      if (!Array.isArray(entries)) context.drop('no catalog', 'the document')
      else yield* exploitedOf(entries, context)
    }
  },
} satisfies Form

function* exploitedOf(entries: readonly unknown[], context: ReadContext): Generator<Fact> {
  for (const [index, entry] of entries.entries()) {
    const cve = isObject(entry) ? own(entry, 'cveID') : undefined
    if (!isObject(entry) || typeof cve !== 'string' || !/^CVE-\d{4}-\d{4,12}$/.test(cve)) {
      context.drop('no CVE id', `vulnerabilities[${index}]`)
      continue
    }
    yield { kind: 'exploited', cve, addedOn: dateOf(own(entry, 'dateAdded'), context.now) ?? context.asOf }
  }
}
