import spdx from './spdx.json' with { type: 'json' }

const known = new Map(spdx.ids.map((id) => [id.toLowerCase(), id]))

export type LicenceChoice = { license: { id: string } } | { license: { name: string } } | { expression: string }

/**
 * In: a licence as a package states it. Out: the CycloneDX form that is valid for it: an SPDX identifier, an SPDX
 * expression of identifiers, else its text as a name. SPDX 2.3, annexes A and D; letter case counts for nothing there.
 */
export function licencesOf(text: string | undefined): LicenceChoice[] {
  if (text === undefined || text === '') return []
  const id = known.get(text.toLowerCase())
  if (id !== undefined) return [{ license: { id } }]
  const expression = expressionOf(text)
  return [expression === undefined ? { license: { name: text } } : { expression }]
}

/** `MIT AND (Apache-2.0 OR GPL-2.0-only WITH Classpath-exception-2.0)`, every identifier known and every bracket closed. */
function expressionOf(text: string): string | undefined {
  const words = text.replaceAll(/[()]/g, ' $& ').trim().split(/\s+/)
  const out: string[] = []
  let depth = 0
  let expectsTerm = true
  for (const word of words) {
    const isOperator = /^(?:AND|OR|WITH)$/.test(word)
    const term = known.get(word.toLowerCase().replace(/\+$/, ''))
    if (word === '(' && expectsTerm) depth++
    else if (word === ')' && !expectsTerm && depth > 0) depth--
    else if (isOperator && !expectsTerm) expectsTerm = true
    else if (term !== undefined && expectsTerm) expectsTerm = false
    else return undefined
    out.push(term === undefined ? word : word.endsWith('+') ? `${term}+` : term)
  }
  return expectsTerm || depth > 0 ? undefined : out.join(' ').replaceAll('( ', '(').replaceAll(' )', ')')
}
