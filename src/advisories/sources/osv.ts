import type { Fact, Form, ReadContext } from '../form.ts'
import { isObject, own } from '../fields.ts'
import { parseOsv } from '../osv.ts'

/** OSV records: the exports of osv.dev, and every database that publishes the schema. */
export const osv = {
  name: 'osv',
  recognises: (first) =>
    isObject(first) && typeof own(first, 'id') === 'string' && ('affected' in first || 'modified' in first || 'schema_version' in first),
  async *read(values: AsyncIterable<unknown>, context: ReadContext): AsyncGenerator<Fact> {
    for await (const value of values) {
      const result = parseOsv(value, { source: 'osv', now: context.now, asOf: context.asOf })
      if ('advisory' in result) yield { kind: 'advisory', advisory: result.advisory, merge: 'record' }
      else context.drop(withoutIndices(result.reason), idOf(value))
    }
  },
} satisfies Form

function idOf(value: unknown): string {
  const id = isObject(value) ? own(value, 'id') : undefined
  return typeof id === 'string' ? JSON.stringify(id.slice(0, 80)) : 'a record without id'
}

/** `affected[3].ranges` → `affected[].ranges`, so that the same fault is counted as one. */
function withoutIndices(reason: string): string {
  return reason.replaceAll(/\[\d+\]/g, '[]').replace(/: \d+ /, ': ')
}
