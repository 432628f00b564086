import { exceptionId, isReference, licenceId } from './spdx.ts'

/** A licence with or without an exception, or several that all count or one of which may be chosen. */
export type Expression = { term: string } | { operator: 'AND' | 'OR'; parts: Expression[] }

const mostWords = 4000
const mostDepth = 32

/** What a phrase between operators means; undefined where that is not known. */
export type Meaning = (phrase: string) => Expression | undefined

/**
 * In: licences joined by `and`, `or` and brackets, in any letter case, and what its phrases mean. Out: what it says;
 * undefined where it is not of this form, or a phrase means nothing. AND binds before OR, as in SPDX; what stands before a
 * comma is bound before that, as in Debian's files. SPDX 2.3, annex D; Debian, "Machine-readable copyright files".
 */
export function parseExpression(text: string, meaning: Meaning): Expression | undefined {
  const words = text.length > 16_384 ? [] : wordsIn(text)
  if (words.length === 0 || words.length > mostWords) return undefined
  const reader = new Reader(words, meaning)
  const read = reader.expression(0)
  return reader.isAtEnd ? read : undefined
}

/** In: one word, or a licence WITH an exception. Out: as SPDX spells it; undefined where SPDX has no such thing. */
export function strictTerm(phrase: string): Expression | undefined {
  const [licence = '', joint, exception, ...more] = phrase.split(/\s+/)
  const known = licenceId(licence) ?? (isReference(licence) ? licence : undefined)
  if (known === undefined || more.length > 0) return undefined
  if (joint === undefined) return { term: known }
  const excepted = joint.toLowerCase() === 'with' && exception !== undefined ? exceptionId(exception) : undefined
  return excepted === undefined ? undefined : { term: `${known} WITH ${excepted}` }
}

/** Out: the text of an expression; each part once, brackets where they are needed. */
export function printExpression(expression: Expression): string {
  return print(simplified(expression), undefined)
}

function print(expression: Expression, within: 'AND' | 'OR' | undefined): string {
  if ('term' in expression) return expression.term
  const text = expression.parts.map((part) => print(part, expression.operator)).join(` ${expression.operator} `)
  return within === undefined ? text : `(${text})`
}

/** `(A AND B) AND A` → `A AND B`. */
function simplified(expression: Expression): Expression {
  if ('term' in expression) return expression
  const parts = new Map<string, Expression>()
  for (const part of expression.parts.map(simplified))
    for (const one of 'operator' in part && part.operator === expression.operator ? part.parts : [part]) parts.set(print(one, 'AND'), one)
  const [only, ...others] = parts.values()
  return only !== undefined && others.length === 0 ? only : { operator: expression.operator, parts: [...parts.values()] }
}

/** Operators and brackets, and what stands between them. */
function wordsIn(text: string): string[] {
  return text
    .replaceAll(/\s+/g, ' ')
    .split(/((?:, ?)?(?<=^|[\s,)])(?:and\/or|and|or)(?=[\s(])|[()&|;,])/i)
    .map((word) => word.trim())
    .filter((word) => word !== '')
}

class Reader {
  readonly #words: readonly string[]
  readonly #meaning: Meaning
  #at = 0

  constructor(words: readonly string[], meaning: Meaning) {
    this.#words = words
    this.#meaning = meaning
  }

  get isAtEnd(): boolean {
    return this.#at === this.#words.length
  }

  /** The comma is the weakest: `A or B, and C`. */
  expression(depth: number): Expression | undefined {
    return this.#joined(
      (word) => /^(?:,|;|, ?and)$/i.test(word),
      'AND',
      () =>
        this.#joined(
          (word) => /^(?:(?:, ?)?or|(?:, ?)?and\/or|\|)$/i.test(word),
          'OR',
          () =>
            this.#joined(
              (word) => /^(?:and|&)$/i.test(word),
              'AND',
              () => this.#term(depth),
            ),
        ),
    )
  }

  #joined(isJoint: (word: string) => boolean, operator: 'AND' | 'OR', next: () => Expression | undefined): Expression | undefined {
    const parts: Expression[] = []
    do {
      const part = next()
      if (part === undefined) return undefined
      parts.push(part)
    } while (isJoint(this.#words[this.#at] ?? '') && this.#at++ >= 0)
    const [only] = parts
    return parts.length === 1 ? only : { operator, parts }
  }

  #term(depth: number): Expression | undefined {
    const word = this.#words[this.#at++]
    if (word === undefined || depth > mostDepth) return undefined
    if (word !== '(') return /^[)&|;,]$/.test(word) ? undefined : this.#meaning(word)
    const inner = this.expression(depth + 1)
    return inner !== undefined && this.#words[this.#at++] === ')' ? inner : undefined
  }
}
