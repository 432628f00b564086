import { parseExpression, printExpression, strictTerm } from './expression.ts'
import type { Expression } from './expression.ts'
import { spdxOfAddress } from './addresses.ts'
import { spdxNameOf } from './names.ts'
import { referenceTo } from './spdx.ts'

/**
 * In: a licence as a package states it, in whatever words. Out: an SPDX expression that says the same: identifiers of
 * the list in its letter case, old ones (`GPL-2.0+`) by their new names. Where part of several is not known, that part is a
 * reference to its name (`MIT AND LicenseRef-Jam`); where all of it is not, undefined: it stays as it is.
 */
export function spdxOf(text: string): string | undefined {
  const said = text.trim()
  if (said === '') return undefined
  if (/^https?:\/\/[^\s,;]+$/.test(said)) return spdxOfAddress(said)
  const whole = spdxNameOf(said)
  if (whole !== undefined) return whole
  const strict = parseExpression(said, modernTerm)
  if (strict !== undefined) return printExpression(strict)
  const loose = parseExpression(plain(said), meaningOf)
  return loose === undefined || !hasKnown(loose) ? undefined : printExpression(loose)
}

/** Without what only looks like an operator or a bracket: `GPL (>= 2)` and `+ file LICENSE` of R, `or later`, `w/`. */
function plain(text: string): string {
  const words = text
    .replaceAll(/\s*\+\s*file LICEN[CS]E\b/g, '')
    .replaceAll(/\((?:[>=<]{1,2} ?[\d.-]+|\d(?:\.\d)?)\)/g, (version) => version.slice(1, -1))
    .replaceAll(/\s+or (?:\(at your option\) )?(?:any )?(?:later|newer)(?: versions?)?\b/gi, '+')
    .replaceAll(/\bw\/ ?(?=\w)/g, 'with ')
    .replaceAll(/^Part of R .*$/g, 'GPL-2 | GPL-3')
  // Beside Perl's own version of the GPL, the Artistic licence is Perl's.
  return /\bgpl-?1?\+/i.test(words) ? words.replaceAll(/\bartistic\b(?![- ]?[12])/gi, 'Artistic-1.0-Perl') : words
}

/** In: several statements that all count. Out: their expression, what is not known by reference; undefined where nothing is. */
export function allOf(texts: readonly string[]): string | undefined {
  const parts = texts.map((text) => parseExpression(spdxOf(text) ?? referenceTo(text), strictTerm) ?? { term: referenceTo(text) })
  return parts.length === 0 ? undefined : printExpression({ operator: 'AND', parts })
}

/** The identifiers that SPDX has given up, because they did not say whether later versions count. */
function modernTerm(phrase: string): Expression | undefined {
  const term = strictTerm(phrase)
  if (term === undefined || !('term' in term)) return term
  return {
    term: term.term.replace(
      /^((?:[AL]?GPL|GFDL)-\d\.\d)(\+|)(?= |$)/,
      (_, id: string, later: string) => `${id}${later === '+' ? '-or-later' : '-only'}`,
    ),
  }
}

function meaningOf(phrase: string): Expression | undefined {
  const strict = modernTerm(phrase)
  if (strict !== undefined) return strict
  const name = spdxNameOf(phrase)
  if (name !== undefined) return parseExpression(name, strictTerm)
  return /[A-Za-z]/.test(phrase) && phrase.length <= 200 ? { term: referenceTo(phrase) } : undefined
}

function hasKnown(expression: Expression): boolean {
  return 'term' in expression ? !expression.term.startsWith('LicenseRef-') : expression.parts.some(hasKnown)
}
