// The junit.xml of the conformance suite: one element per check.

export interface ConformanceCase {
  name: string
  status: string
  /** What the suite said of a check that did not pass. */
  words: string
}

/** In: the same file. Out: how many results the suite counted, groups of checks among them. */
export function readTotals(xml: string): { tests: number; failures: number; errors: number; skipped: number } {
  const attributes = /<testsuite ([^>]*)>/.exec(xml)?.[1] ?? ''
  const number = (name: string) => Number(attributeOf(attributes, name))
  return { tests: number('tests'), failures: number('failures'), errors: number('errors'), skipped: number('skipped') }
}

/** In: junit.xml as Go's encoding/xml writes it. Out: its checks. */
export function readCases(xml: string): ConformanceCase[] {
  const cases = [...xml.matchAll(/<testcase ([^>]*)>(.*?)<\/testcase>/gs)]
  return cases.map(([, attributes = '', body = '']) => {
    const status = attributeOf(attributes, 'status')
    return {
      name: attributeOf(attributes, 'name'),
      status,
      words: status === 'passed' ? '' : unescaped(/<system-out>(.*?)<\/system-out>/s.exec(body)?.[1] ?? '').slice(0, 600),
    }
  })
}

function attributeOf(attributes: string, name: string): string {
  return unescaped(new RegExp(`(?:^|\\s)${name}="([^"]*)"`).exec(attributes)?.[1] ?? '')
}

function unescaped(text: string): string {
  const named: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"' }
  return text.replaceAll(/&(?:#(\d+)|#x([0-9A-Fa-f]+)|(amp|lt|gt|quot));/g, (_, decimal?: string, hex?: string, word?: string) => {
    if (word !== undefined) return named[word] ?? ''
    return String.fromCodePoint(decimal === undefined ? Number.parseInt(hex ?? '20', 16) : Number(decimal))
  })
}
