import { messageOf } from '../../kit/errors.ts'

export type JsonObject = Record<string, unknown>

/** In: bytes of a file. Out: the object, or why it is none. Only own keys are read off it (`own`), so that `__proto__` is a key like any. */
export function parseObject(bytes: Buffer): JsonObject | Error {
  const json = parseAny(bytes)
  return isObject(json) || json instanceof Error ? json : new Error('another type')
}

/** In: bytes of a file. Out: any JSON value, or why it is none. */
export function parseAny(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8').replace(/^\ufeff/, '')) as unknown
  } catch (error) {
    return error instanceof Error ? error : new Error(messageOf(error))
  }
}

export function own(json: JsonObject, key: string): unknown {
  return Object.hasOwn(json, key) ? json[key] : undefined
}

export function ownText(json: JsonObject, key: string): string | undefined {
  const value = own(json, key)
  return typeof value === 'string' ? value : undefined
}

/** Out: the texts of a list, the first so many; none where it is no list. */
export function textsOf(value: unknown, most: number): string[] {
  return Array.isArray(value) ? value.slice(0, most).filter((item): item is string => typeof item === 'string') : []
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Error)
}
