import { LazaretError } from '../kit/errors.ts'

export interface Credentials {
  name: string
  secret: string
}

export type Authorization = { scheme: 'basic'; credentials: Credentials } | { scheme: 'bearer'; token: string }

const mostHeaderLength = 16_384

/**
 * In: the `Authorization` header. Out: what it carries (RFC 7617 with UTF-8, RFC 6750).
 * Throws LazaretError UNAUTHORIZED on anything else, an empty header too; the header is never in the message.
 */
export function parseAuthorization(header: string): Authorization {
  if (header.length > mostHeaderLength) throw unauthorized('the Authorization header is too long')
  const match = /^([A-Za-z]+) +([A-Za-z0-9+/=._~-]+) *$/.exec(header)
  const [, scheme = '', value = ''] = match ?? []
  if (scheme.toLowerCase() === 'basic') return { scheme: 'basic', credentials: parseBasic(value) }
  if (scheme.toLowerCase() === 'bearer') return { scheme: 'bearer', token: value }
  throw unauthorized('the Authorization header is neither Basic nor Bearer')
}

export function unauthorized(message: string, detail?: Record<string, unknown>): LazaretError {
  return new LazaretError('UNAUTHORIZED', message, detail === undefined ? {} : { detail })
}

function parseBasic(value: string): Credentials {
  const text = decode(value)
  if (text === undefined || /\p{Cc}/u.test(text)) throw unauthorized('the Basic credentials are not base64 of UTF-8 text')
  const colon = text.indexOf(':')
  if (colon < 0) throw unauthorized('the Basic credentials have no colon between name and password')
  return { name: text.slice(0, colon), secret: text.slice(colon + 1) }
}

function decode(value: string): string | undefined {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(value)) return undefined
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(value, 'base64'))
  } catch (error) {
    if (error instanceof TypeError) return undefined
    throw error
  }
}
