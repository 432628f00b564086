import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'

/**
 * A new robot token: `lzr_` and 32 random bytes in base64url. The fixed beginning lets secret scanners find a leaked one.
 * With 256 random bits there is nothing to guess, so a plain SHA-256 is enough to store.
 */
export function newRobotToken(): string {
  return `lzr_${randomBytes(32).toString('base64url')}`
}

/** Whether a Bearer credential is meant as a robot's token rather than one of the token endpoint, which has dots. */
export function isRobotToken(text: string): boolean {
  return /^lzr_[A-Za-z0-9_-]{43}$/.test(text)
}

/** Out: SHA-256 in hex, as it is stored. */
export function hashRobotToken(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}

export function robotTokenMatches(token: string, storedHash: string): boolean {
  const given = Buffer.from(hashRobotToken(token))
  const stored = Buffer.from(storedHash)
  return given.length === stored.length && timingSafeEqual(given, stored)
}
