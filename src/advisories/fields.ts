// Reading foreign JSON: every step says what was wrong and where, and nothing is read that isn't an own property.

export const limits = {
  /** Bytes of one record's JSON. The largest real ones (kernel records with lists of versions) have about 3 MB. */
  recordBytes: 8 * 1024 * 1024,
  textLength: 1024,
  ids: 5000,
  affected: 50_000,
  ranges: 2000,
  events: 20_000,
  versions: 200_000,
  severities: 32,
} as const

/** A record that can't be read: `where` is the path inside it, `what` what was wrong there. */
export class FieldError extends Error {
  constructor(where: string, what: string) {
    super(`${where}: ${what}`)
    this.name = 'FieldError'
  }
}

export type JsonObject = Readonly<Record<string, unknown>>

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Out: an own property; undefined where it is missing or null, which OSV data uses alike. */
export function own(value: JsonObject, key: string): unknown {
  return Object.hasOwn(value, key) ? (value[key] ?? undefined) : undefined
}

export function objectAt(value: unknown, where: string): JsonObject {
  if (!isObject(value)) throw new FieldError(where, 'not an object')
  return value
}

/** For messages and optional hints: the text, or nothing where it is none; never a conversion, which foreign objects can disturb. */
export function hintText(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value).slice(0, 80) : ''
}

/** An optional object: anything else counts as none, since only hints are read from it. */
export function hintsAt(value: JsonObject, key: string): JsonObject {
  const found = own(value, key)
  return isObject(found) ? found : {}
}

/** Out: the list, or an empty one where it is missing. Throws where it is something else or has more than `most`. */
export function listAt(value: JsonObject, key: string, most: number, where: string): readonly unknown[] {
  const found = own(value, key)
  if (found === undefined) return []
  if (!Array.isArray(found)) throw new FieldError(join(where, key), 'not a list')
  if (found.length > most) throw new FieldError(join(where, key), `${found.length} entries, more than ${most}`)
  return found
}

export function textsAt(value: JsonObject, key: string, most: number, where: string): string[] {
  return listAt(value, key, most, where).map((entry, index) => textOf(entry, `${join(where, key)}[${index}]`))
}

/** A non-empty text without control characters, at most 1,024 characters, trimmed. */
export function textOf(value: unknown, where: string): string {
  if (typeof value !== 'string') throw new FieldError(where, value === undefined ? 'missing' : 'not a text')
  if (value.length > limits.textLength) throw new FieldError(where, `${value.length} characters, more than ${limits.textLength}`)
  const text = value.trim()
  if (text === '') throw new FieldError(where, 'empty')
  if (hasControl(text)) throw new FieldError(where, 'has a control character')
  return text
}

/**
 * In: an RFC 3339 date or time. Out: ISO 8601 in UTC with seconds; undefined where it is none, or a placeholder such as
 * Go's `0001-01-01`, or more than a day after `latest`: a wrong clock would outrank every correction.
 */
export function dateOf(value: unknown, latest: Date): string | undefined {
  if (typeof value !== 'string' || value.length > 40 || !/^\d{4}-\d\d-\d\d/.test(value)) return undefined
  const time = Date.parse(value)
  if (Number.isNaN(time) || time < earliest || time > latest.getTime() + 86_400_000) return undefined
  return isoSeconds(new Date(time))
}

export function isoSeconds(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`
}

const earliest = Date.UTC(1980, 0, 1)

function hasControl(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code < 32 || code === 127 || code === 0xfffd) return true
  }
  return false
}

function join(where: string, key: string): string {
  return where === '' ? key : `${where}.${key}`
}
