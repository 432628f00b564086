import { LazaretError, messageOf } from '../../kit/errors.ts'
import { parseDigest } from '../../model/digest.ts'
import type { Digest } from '../../model/digest.ts'
import type { Platform } from '../../model/manifest.ts'

export type JsonObject = Record<string, unknown>

/** In: bytes and a word for them. Out: any JSON value. Throws UNREADABLE. */
export function parseJson(bytes: Buffer, what: string): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch (error) {
    throw new LazaretError('UNREADABLE', `${what} is no JSON: ${messageOf(error).slice(0, 200)}`, { cause: error })
  }
}

export function asObject(value: unknown, what: string): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new LazaretError('UNREADABLE', `${what} is no JSON object`)
  return value as JsonObject
}

export function asArray(value: unknown, most: number, what: string): unknown[] {
  if (!Array.isArray(value)) throw new LazaretError('UNREADABLE', `${what} is no list`)
  if (value.length > most) throw new LazaretError('UNREADABLE', `${what} has ${value.length} items, more than the ${most} that are read`)
  return value
}

export function asString(value: unknown, what: string): string {
  if (typeof value !== 'string') throw new LazaretError('UNREADABLE', `${what} is no text`)
  return value
}

export function asDigest(value: unknown, what: string): Digest {
  const digest = parseDigest(value)
  if (digest === undefined) throw new LazaretError('UNREADABLE', `${what} is no digest that can be checked: ${String(value).slice(0, 100)}`)
  return digest
}

/** Out: the platform that an object states, or undefined where it states none. */
export function platformOf(value: unknown): Platform | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { os, architecture, variant } = value as JsonObject
  if (typeof os !== 'string' || typeof architecture !== 'string' || os === '' || architecture === '') return undefined
  return { os, architecture, ...(typeof variant === 'string' && variant !== '' && { variant }) }
}
