// What a setting's value can be. A kind reads a YAML value or the text of a variable into the value that the rest of the
// code trusts, or throws a Misfit that says what was expected.

/** A value that a kind can't take; its message goes after "NAME must be". */
export class Misfit extends Error {}

export interface Place {
  /** Folder that relative paths in this source start from. */
  folder: string
  env: Readonly<Record<string, string | undefined>>
}

export interface Kind<T> {
  /** JSON schema (2020-12) of the YAML value. */
  schema: Record<string, unknown>
  /** Text of a variable to what YAML would have given; only for kinds that aren't text. */
  fromText?(text: string): unknown
  /** In: a YAML value. Out: the value in force. Throws Misfit. */
  read(raw: unknown, place: Place): T
  /** For people and for JSON: never a secret's value. */
  show(value: T): string | number | boolean | string[]
}

/** Text that a parser turns into T; `show` turns it back. */
export function text<T>(
  expected: string,
  parse: (text: string, place: Place) => T | undefined,
  show: (value: T) => string,
  schema: object = {},
): Kind<T> {
  return {
    schema: { type: 'string', ...schema },
    read(raw, place) {
      const value = typeof raw === 'string' && raw.length <= 4096 ? parse(raw, place) : undefined
      if (value === undefined) throw new Misfit(`${expected}, not ${shown(raw)}`)
      return value
    },
    show,
  }
}

export function oneOf<const T extends string>(...words: readonly T[]): Kind<T> {
  return text(`one of ${words.join(', ')}`, (given) => words.find((word) => word === given), String, { enum: words })
}

export const yesOrNo: Kind<boolean> = {
  schema: { type: 'boolean' },
  fromText: (given) => ({ true: true, false: false })[given.toLowerCase()] ?? given,
  read(raw) {
    if (typeof raw !== 'boolean') throw new Misfit(`true or false, not ${shown(raw)}`)
    return raw
  },
  show: (value) => value,
}

export function integer(minimum: number, maximum: number): Kind<number> {
  return {
    schema: { type: 'integer', minimum, maximum },
    fromText: (given) => (/^\d{1,15}$/.test(given) ? Number(given) : given),
    read(raw) {
      if (typeof raw !== 'number' || !Number.isSafeInteger(raw) || raw < minimum || raw > maximum) {
        throw new Misfit(`a whole number from ${minimum} to ${maximum}, not ${shown(raw)}`)
      }
      return raw
    },
    show: (value) => value,
  }
}

/** From 0 to 1, both included. */
export const ratio: Kind<number> = {
  schema: { type: 'number', minimum: 0, maximum: 1 },
  fromText: (given) => (/^\d{1,3}(?:\.\d{1,15})?$/.test(given) ? Number(given) : given),
  read(raw) {
    if (typeof raw !== 'number' || !(raw >= 0 && raw <= 1)) throw new Misfit(`a number from 0 to 1, not ${shown(raw)}`)
    return raw
  },
  show: (value) => value,
}

/** A list in YAML (or one item alone), comma-separated in a variable. */
export function listOf<T>(item: Kind<T>, maxItems = 1000): Kind<T[]> {
  return {
    schema: { anyOf: [item.schema, { type: 'array', items: item.schema, maxItems }] },
    fromText: (given) =>
      given
        .split(',')
        .map((part) => part.trim())
        .filter((part) => part !== ''),
    read(raw, place) {
      const items: unknown[] = Array.isArray(raw) ? raw : [raw]
      if (items.length > maxItems) throw new Misfit(`at most ${maxItems} items, not ${items.length}`)
      return items.map((one) => item.read(one, place))
    },
    show: (values) => values.map((value) => String(item.show(value))),
  }
}

/** In: any value. Out: how an error shows it, cut to 80 characters. */
export function shown(raw: unknown): string {
  if (raw === null || raw === undefined) return 'nothing'
  if (Array.isArray(raw)) return 'a list'
  if (typeof raw === 'object') return 'a map'
  const quoted = JSON.stringify(raw) ?? typeof raw
  return quoted.length <= 80 ? quoted : `${quoted.slice(0, 79)}…`
}
