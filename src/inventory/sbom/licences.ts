import { parseExpression, printExpression, strictTerm } from '../licences/expression.ts'
import { licenceId } from '../licences/spdx.ts'

export type LicenceChoice = { license: { id: string } } | { license: { name: string } } | { expression: string }

/**
 * In: the licence of a package. Out: the CycloneDX form that is valid for it: an SPDX identifier, an SPDX expression of
 * identifiers and references, else its text as a name. SPDX 2.3, annexes A and D; letter case counts for nothing there.
 */
export function licencesOf(text: string | undefined): LicenceChoice[] {
  if (text === undefined || text === '') return []
  const id = text.endsWith('+') ? undefined : licenceId(text)
  if (id !== undefined) return [{ license: { id } }]
  const expression = parseExpression(text, strictTerm)
  return [expression === undefined ? { license: { name: text } } : { expression: printExpression(expression) }]
}

/** In: an expression. Out: the licences in it that no list has, each once. */
export function referencesIn(expression: string): string[] {
  return [...new Set(expression.match(/(?<![\w.:-])LicenseRef-[A-Za-z0-9.-]+/g) ?? [])]
}
