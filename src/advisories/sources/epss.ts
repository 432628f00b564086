import type { Fact, ReadContext } from '../form.ts'
import { dateOf } from '../fields.ts'

/**
 * FIRST's exploit prediction scores (first.org/epss/data_stats), text with one CVE a line; a head and a note of the date
 * may be missing, and some mirrors write `;`:
 *
 *   #model_version:v2025.03.14,score_date:2026-08-16T00:00:00+0000
 *   cve,epss,percentile
 *   CVE-2021-44228,0.94358,0.99957
 */
export const epss = {
  name: 'epss',
  recognisesText: (head: string): boolean => start.test(head),
  async *read(lines: AsyncIterable<string>, context: ReadContext): AsyncGenerator<Fact> {
    let { asOf } = context
    for await (const line of lines) {
      const text = line.trim()
      if (text.startsWith('#')) asOf = scoreDate(text, context.now) ?? asOf
      else if (text !== '' && !head.test(text)) {
        const fact = factOf(text, asOf)
        if (typeof fact === 'string') context.drop(fact, JSON.stringify(text.slice(0, 60)))
        else yield fact
      }
    }
  },
}

const start = /^(?:#model_version:|cve[,;]epss[,;]percentile\b|CVE-\d{4}-\d{4,9}[,;][\d.]+[,;][\d.]+\s)/
const head = /^cve[,;]epss[,;]percentile$/
const row = /^(CVE-\d{4}-\d{4,9})[,;](\d(?:\.\d{0,20})?(?:[eE]-\d{1,3})?)[,;](\d(?:\.\d{0,20})?(?:[eE]-\d{1,3})?)$/

function scoreDate(note: string, now: Date): string | undefined {
  const date = /score_date:(\d{4}-\d\d-\d\d)/.exec(note.slice(0, 200))?.[1]
  return date === undefined ? undefined : dateOf(date, now)
}

function factOf(text: string, asOf: string): Fact | string {
  const [, cve, probability, percentile] = row.exec(text) ?? []
  if (cve === undefined) return 'not a line of EPSS'
  const values = [Number(probability), Number(percentile)] as const
  if (values.some((value) => value > 1)) return 'not a probability'
  return { kind: 'probability', cve, probability: values[0], percentile: values[1], asOf }
}
