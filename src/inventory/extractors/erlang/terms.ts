/** A value of a file of Erlang terms: an atom, a text (string or binary), a number as it is written, or several of them. */
export type Term = { atom: string } | { tuple: Term[] } | string | number | Term[]

const mostDepth = 64
const mostTerms = 200_000

/** Blanks, comments, then one token: text, quoted atom, the brackets of a binary or a map, a word or a number, one character. */
const token =
  /(?:[\s\u0080-\u00a0]|%[^\n]*(?:\n|$))*(?:"([^"\\]*(?:\\[^][^"\\]*)*)"|'([^'\\]*(?:\\[^][^'\\]*)*)'|(<<|>>|#\{|=>|\$\\?[^])|([A-Za-z0-9_@][\w@#]*(?:\.\d[\w+-]*)?)|([^\s%"']))/y

/**
 * In: a file as `file:consult/1` reads it: terms, each ended by a full stop. Out: its terms. Nothing is evaluated; what can only
 * be data is read, a map is passed over. Throws SyntaxError with the line where it is no such file, or deeper or longer
 * than any has reason to be. Erlang Reference Manual, "Data Types".
 */
export function termsOf(bytes: Buffer): Term[] {
  return new TermReader(bytes.toString('utf8').replace(/^\ufeff/, '')).terms()
}

interface Token {
  kind: 'text' | 'atom' | 'sign' | 'word' | 'end'
  text: string
}

class TermReader {
  readonly #source: string
  #at = 0
  #left = mostTerms
  #next: Token

  constructor(source: string) {
    this.#source = source
    this.#next = this.#read()
  }

  terms(): Term[] {
    const terms: Term[] = []
    while (this.#next.kind !== 'end') {
      terms.push(this.#term(0))
      this.#expect('.')
    }
    return terms
  }

  #term(depth: number): Term {
    if (depth > mostDepth) throw this.#error(`terms more than ${mostDepth} deep`)
    if (this.#left-- === 0) throw this.#error(`more than ${mostTerms} terms`)
    const { kind, text } = this.#take()
    if (kind === 'text') return this.#joined(text)
    if (kind === 'atom') return { atom: text }
    if (kind === 'word') return /^\d/.test(text) ? numberOf(text) : { atom: text }
    if (text === '{') return { tuple: this.#list('}', depth) }
    if (text === '[') return this.#list(']', depth)
    if (text === '<<') return this.#binary()
    if (text === '#{') return this.#map(depth)
    if (text === '-' || text === '+') return this.#signed(text)
    if (text.startsWith('$')) return text.codePointAt(text.length - 1) ?? 0
    throw this.#error(`${JSON.stringify(text)} where a term is to stand`)
  }

  /** Texts that follow each other are one. */
  #joined(first: string): string {
    const parts = [first]
    while (this.#next.kind === 'text') parts.push(this.#take().text)
    return parts.join('')
  }

  #signed(sign: string): number {
    const { kind, text } = this.#take()
    if (kind !== 'word' || !/^\d/.test(text)) throw this.#error('a sign without a number')
    return sign === '-' ? -numberOf(text) : numberOf(text)
  }

  #list(close: string, depth: number): Term[] {
    const items: Term[] = []
    while (!this.#is(close)) {
      items.push(this.#term(depth + 1))
      if (this.#is(',') || this.#is('|')) this.#take()
      else if (!this.#is(close)) throw this.#error(`no ${close} at its end`)
    }
    this.#take()
    return items
  }

  /** `<<"text">>`, `<<"text"/utf8>>`; one of bytes is given without them. */
  #binary(): string {
    const text = this.#next.kind === 'text' ? this.#joined('') : ''
    while (!this.#is('>>')) {
      if (this.#next.kind === 'end') throw this.#error('a binary without an end')
      this.#take()
    }
    this.#take()
    return text
  }

  #map(depth: number): Term {
    while (!this.#is('}')) {
      this.#term(depth + 1)
      if (this.#is('=>') || this.#is(',')) this.#take()
      else if (!this.#is('}')) throw this.#error('no } at its end')
    }
    this.#take()
    return []
  }

  #is(sign: string): boolean {
    return this.#next.kind === 'sign' && this.#next.text === sign
  }

  #expect(sign: string): void {
    if (!this.#is(sign)) throw this.#error(`no ${JSON.stringify(sign)} after a term`)
    this.#take()
  }

  #take(): Token {
    const taken = this.#next
    if (taken.kind === 'end') throw this.#error('it ends in the middle of a term')
    this.#next = this.#read()
    return taken
  }

  #read(): Token {
    token.lastIndex = this.#at
    const match = token.exec(this.#source)
    if (match === null) {
      if (/\S/.test(this.#source.slice(this.#at).replaceAll(/%[^\n]*/g, ''))) throw this.#error('a text without an end')
      return { kind: 'end', text: '' }
    }
    this.#at = token.lastIndex
    const [, text, atom, sign, word, other] = match
    if (text !== undefined) return { kind: 'text', text: unescape(text) }
    if (atom !== undefined) return { kind: 'atom', text: unescape(atom) }
    if (word !== undefined) return { kind: 'word', text: word }
    return { kind: 'sign', text: sign ?? other ?? '' }
  }

  #error(what: string): SyntaxError {
    return new SyntaxError(`line ${this.#source.slice(0, this.#at).split('\n').length}: ${what}`)
  }
}

/** `16#ff` and `1_000` too; only that it is one matters. */
function numberOf(text: string): number {
  const [base, digits] = text.replaceAll('_', '').split('#')
  return digits === undefined ? Number(base) : Number.parseInt(digits, Number(base))
}

/** The escapes that names and versions may have; others stay as they are. */
function unescape(text: string): string {
  return text.includes('\\') ? text.replaceAll(/\\([^])/g, (_, char: string) => (char === 'n' ? '\n' : char === 't' ? '\t' : char)) : text
}

/** In: a list of pairs, or of tuples with a key first. Out: the value of a key, which is an atom or a text. */
export function valueOf(pairs: Term | undefined, key: string): Term | undefined {
  if (!Array.isArray(pairs)) return undefined
  for (const pair of pairs) {
    const [name, value] = tupleOf(pair)
    if (name !== undefined && (name === key || atomOf(name) === key)) return value
  }
  return undefined
}

export function tupleOf(term: Term | undefined): Term[] {
  return typeof term === 'object' && 'tuple' in term ? term.tuple : []
}

export function atomOf(term: Term | undefined): string | undefined {
  return typeof term === 'object' && 'atom' in term ? term.atom : undefined
}
