import { createHash, createPublicKey, type KeyObject } from 'node:crypto'

/** A public half that exports are verified by. */
export interface TrustedKey {
  /** `ed25519:` and the 32 bytes in Base64: as an operator writes it. */
  text: string
  /** Which key a signature is by: the first 16 hex digits of the SHA-256 of those bytes. */
  id: string
  key: KeyObject
}

/** The head of an Ed25519 SubjectPublicKeyInfo (RFC 8410 §4); the 32 bytes follow it. */
const spkiHead = Buffer.from('302a300506032b6570032100', 'hex')

/** In: `ed25519:BASE64`. Out: the key, undefined where that is none. */
export function parseTrustedKey(text: string): TrustedKey | undefined {
  const match = /^ed25519:([A-Za-z0-9+/]{43}=)$/.exec(text)
  if (match === null) return undefined
  const raw = Buffer.from(match[1] ?? '', 'base64')
  return { text, id: idOf(raw), key: createPublicKey({ key: Buffer.concat([spkiHead, raw]), format: 'der', type: 'spki' }) }
}

/** In: the public half of an Ed25519 pair. */
export function trustedKeyOf(key: KeyObject): TrustedKey {
  const raw = key.export({ format: 'der', type: 'spki' }).subarray(spkiHead.length)
  return { text: `ed25519:${raw.toString('base64')}`, id: idOf(raw), key }
}

function idOf(raw: Buffer): string {
  return createHash('sha256').update(raw).digest('hex').slice(0, 16)
}
