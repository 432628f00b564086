import { LazaretError } from '../../../kit/errors.ts'

/** Where in a file something is wrong. */
export interface At {
  file: string
  where: string
}

const mostText = 4096

export function invalid({ file, where }: At, problem: string): LazaretError {
  return new LazaretError('SETTING_INVALID', `${file}: ${where}: ${problem}`)
}

/** Out: the object, each of its keys among those that are known. Throws SETTING_INVALID: a misspelt condition would ignore too much. */
export function objectAt(value: unknown, known: readonly string[], at: At): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Date) throw invalid(at, 'is no mapping')
  const strange = Object.keys(value).find((key) => !known.includes(key))
  if (strange !== undefined) throw invalid(at, `${JSON.stringify(strange.slice(0, 60))} is not known here, but ${known.join(', ')}`)
  return value as Record<string, unknown>
}

/** Out: undefined where it is not given. Throws SETTING_INVALID where it is no text. */
export function textAt(value: unknown, at: At): string | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value === 'string' && value.length <= mostText) return value
  throw invalid(at, typeof value === 'string' ? `has more than ${mostText} characters` : 'is no text')
}

export function textsAt(value: unknown, at: At): string[] {
  return listAt(value, at).map((item, index) => {
    const text = textAt(item, { ...at, where: `${at.where}[${index}]` })
    if (text === undefined || text === '') throw invalid(at, 'has an empty item')
    return text
  })
}

export function listAt(value: unknown, at: At): unknown[] {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value)) throw invalid(at, 'is no list')
  if (value.length > 10_000) throw invalid(at, 'has more than 10000 items')
  return value as unknown[]
}

export function booleanAt(value: unknown, at: At): boolean | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value === 'boolean') return value
  throw invalid(at, 'is neither true nor false')
}

/** A day, at which it begins in UTC, or an instant with its zone (RFC 3339). Throws SETTING_INVALID for any other text. */
export function instantAt(value: unknown, at: At): Date | undefined {
  if (value === undefined || value === null) return undefined
  const text = value instanceof Date ? value.toISOString() : value
  const form = /^(\d{4}-\d\d-\d\d)(?:[Tt ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:[Zz]|[+-]\d\d:\d\d))?$/.exec(typeof text === 'string' ? text : '')
  const date = form === null ? undefined : new Date((text as string).replace(' ', 'T'))
  // 2026-02-30 would silently be a day in March.
  const isDay = form?.[1] !== undefined && new Date(`${form[1]}T00:00:00Z`).toJSON()?.startsWith(form[1])
  if (date === undefined || Number.isNaN(date.getTime()) || isDay !== true)
    throw invalid(at, `is no day such as 2026-12-31: ${JSON.stringify(text)?.slice(0, 60)}`)
  return date
}
