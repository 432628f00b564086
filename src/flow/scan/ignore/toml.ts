import { LazaretError } from '../../../kit/errors.ts'

export type TomlValue = string | number | boolean | Date | TomlValue[] | { [key: string]: TomlValue }
export type TomlTable = { [key: string]: TomlValue }

const mostDepth = 20

/**
 * As much of TOML as configuration files hold: tables, arrays of tables, dotted and quoted keys, strings of all four kinds, numbers,
 * booleans, days and instants, arrays and inline tables. What is outside of that is an error with its line, never passed over.
 * In: the text. Out: its tables. Throws SETTING_INVALID. toml.io/en/v1.0.0.
 */
export function parseToml(text: string, file: string): TomlTable {
  return new Reader(text, file).document()
}

const escapes: Partial<Record<string, string>> = { b: '\b', t: '\t', n: '\n', f: '\f', r: '\r', e: '\u001B', '"': '"', '\\': '\\' }
const bareKey = /[A-Za-z0-9_-]+/y
const scalar = /[^\s,\]}#]+(?: \d\d:\d\d[^\s,\]}#]*)?/y
const day = /^\d{4}-\d\d-\d\d(?:[Tt ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:[Zz]|[+-]\d\d:\d\d)?)?$/
const number = /^[+-]?(?:0x[\dA-Fa-f_]+|0o[0-7_]+|0b[01_]+|(?:0|[1-9][\d_]*)(?:\.\d[\d_]*)?(?:[eE][+-]?\d+)?)$/

class Reader {
  readonly #text: string
  readonly #file: string
  #at = 0

  constructor(text: string, file: string) {
    this.#text = text
    this.#file = file
  }

  document(): TomlTable {
    const root = table()
    let current = root
    for (this.#blank(); this.#at < this.#text.length; this.#blank()) {
      if (this.#takes('[[')) current = this.#element(root, this.#path(']]'))
      else if (this.#takes('[')) current = this.#inside(root, this.#path(']'))
      else this.#pair(current, 0)
      this.#endOfLine()
    }
    return root
  }

  #pair(into: TomlTable, depth: number): void {
    const path = this.#path('=')
    const last = path.pop() ?? ''
    const place = this.#inside(into, path)
    if (Object.hasOwn(place, last)) throw this.#problem(`${JSON.stringify(last)} stands twice`)
    this.#spaces()
    place[last] = this.#value(depth)
  }

  /** Keys with dots between them, up to and with what ends them. */
  #path(end: string): string[] {
    const keys: string[] = []
    do {
      this.#spaces()
      keys.push(this.#key())
      this.#spaces()
    } while (this.#takes('.'))
    if (!this.#takes(end)) throw this.#problem(`${end} is missing`)
    if (keys.length > mostDepth) throw this.#problem('keys are nested too deep')
    return keys
  }

  #key(): string {
    if (this.#takes('"')) return this.#quoted('"', true)
    if (this.#takes("'")) return this.#quoted("'", false)
    const found = this.#match(bareKey)
    if (found === undefined) throw this.#problem('a key is missing')
    return found
  }

  #inside(root: TomlTable, path: readonly string[]): TomlTable {
    let at = root
    for (const key of path) {
      const there = Object.hasOwn(at, key) ? at[key] : (at[key] = table())
      const inner = Array.isArray(there) ? there.at(-1) : there
      if (typeof inner !== 'object' || inner instanceof Date || Array.isArray(inner))
        throw this.#problem(`${JSON.stringify(key)} is no table`)
      at = inner
    }
    return at
  }

  #element(root: TomlTable, path: string[]): TomlTable {
    const last = path.pop() ?? ''
    const place = this.#inside(root, path)
    const list = Object.hasOwn(place, last) ? place[last] : (place[last] = [])
    if (!Array.isArray(list)) throw this.#problem(`${JSON.stringify(last)} is no list of tables`)
    const made = table()
    list.push(made)
    return made
  }

  #value(depth: number): TomlValue {
    if (depth > mostDepth) throw this.#problem('values are nested too deep')
    if (this.#takes('"""')) return this.#long('"""', true)
    if (this.#takes("'''")) return this.#long("'''", false)
    if (this.#takes('"')) return this.#quoted('"', true)
    if (this.#takes("'")) return this.#quoted("'", false)
    if (this.#takes('[')) return this.#list(depth)
    if (this.#takes('{')) return this.#inline(depth)
    return this.#scalar()
  }

  #list(depth: number): TomlValue[] {
    const items: TomlValue[] = []
    for (this.#blank(); !this.#takes(']'); this.#blank()) {
      items.push(this.#value(depth + 1))
      this.#blank()
      if (this.#takes(',')) continue
      if (this.#takes(']')) return items
      throw this.#problem('a list is not closed')
    }
    return items
  }

  #inline(depth: number): TomlTable {
    const made = table()
    this.#spaces()
    if (this.#takes('}')) return made
    do {
      this.#pair(made, depth + 1)
      this.#spaces()
    } while (this.#takes(','))
    if (!this.#takes('}')) throw this.#problem('an inline table is not closed')
    return made
  }

  #scalar(): TomlValue {
    const word = this.#match(scalar) ?? ''
    if (word === 'true' || word === 'false') return word === 'true'
    if (day.test(word)) {
      const date = new Date(word.replace(' ', 'T'))
      if (!Number.isNaN(date.getTime())) return date
    }
    const value = number.test(word) ? Number(word.replaceAll('_', '')) : Number.NaN
    if (Number.isNaN(value)) throw this.#problem(`${JSON.stringify(word.slice(0, 60))} is no value`)
    return value
  }

  #quoted(quote: string, escaped: boolean): string {
    let out = ''
    for (;;) {
      const letter = this.#text[this.#at++]
      if (letter === undefined || letter === '\n') throw this.#problem('a string is not closed')
      if (letter === quote) return out
      out += letter === '\\' && escaped ? this.#escape() : letter
    }
  }

  #long(quote: string, escaped: boolean): string {
    this.#takes('\r')
    this.#takes('\n')
    let out = ''
    while (!this.#takes(quote)) {
      const letter = this.#text[this.#at++]
      if (letter === undefined) throw this.#problem('a string is not closed')
      if (letter === '\\' && escaped && /^[ \t]*\r?\n/.test(this.#text.slice(this.#at, this.#at + 200))) this.#white()
      else out += letter === '\\' && escaped ? this.#escape() : letter
    }
    // Up to two quotes may stand right before those that end it.
    for (let more = 0; more < 2 && this.#takes(quote[0] ?? ''); more++) out += quote[0] ?? ''
    return out
  }

  #escape(): string {
    const letter = this.#text[this.#at++] ?? ''
    const length = letter === 'u' ? 4 : letter === 'U' ? 8 : 0
    const plain = escapes[letter]
    if (length === 0 && plain !== undefined) return plain
    const hex = this.#text.slice(this.#at, this.#at + length)
    const code = Number.parseInt(hex, 16)
    if (length === 0 || !/^[\dA-Fa-f]+$/.test(hex) || hex.length !== length || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
      throw this.#problem(`\\${letter} is no escape`)
    this.#at += length
    return String.fromCodePoint(code)
  }

  #endOfLine(): void {
    this.#spaces()
    if (this.#text[this.#at] === '#') this.#comment()
    this.#takes('\r')
    if (this.#at < this.#text.length && !this.#takes('\n')) throw this.#problem('there is more on the line than is understood')
  }

  /** Spaces, line ends and comments. */
  #blank(): void {
    for (;;) {
      this.#white()
      if (this.#text[this.#at] !== '#') return
      this.#comment()
    }
  }

  #white(): void {
    while (this.#at < this.#text.length && ' \t\r\n'.includes(this.#text[this.#at] ?? '')) this.#at++
  }

  #spaces(): void {
    while (this.#text[this.#at] === ' ' || this.#text[this.#at] === '\t') this.#at++
  }

  #comment(): void {
    const end = this.#text.indexOf('\n', this.#at)
    this.#at = end < 0 ? this.#text.length : end
  }

  #takes(text: string): boolean {
    const found = text !== '' && this.#text.startsWith(text, this.#at)
    if (found) this.#at += text.length
    return found
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at
    const [found] = pattern.exec(this.#text) ?? []
    this.#at += found?.length ?? 0
    return found
  }

  #problem(words: string): LazaretError {
    const line = this.#text.slice(0, this.#at).split('\n').length
    return new LazaretError('SETTING_INVALID', `${this.#file}: line ${line}: ${words}`)
  }
}

/** Without a prototype: a key is only ever a key. */
function table(): TomlTable {
  return Object.create(null) as TomlTable
}
