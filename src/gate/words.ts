import { shortDigest, type Digest } from '../model/digest.ts'
import type { Reason } from '../model/verdict.ts'

/** Bounds of what clients print: the HTTP reason phrase, and a Warning header (RFC 9111 in the form that docker shows). */
export const mostLineCharacters = 200
export const mostWarningCharacters = 120

export interface Held {
  repository: string
  digest: Digest
  reasons: Reason[]
  /** Nearest image that passes: `shop/api:1.4.2`. */
  alternative?: string
  /** The caller works on this repository, and could be let through by the grant `read-quarantined`. */
  tellsGrant?: boolean
}

/**
 * The one line that a refused client prints, in ASCII, at most 200 characters:
 * `lazaret: shop/api@sha256:1f2e… is held: CVE-2024-3094 in xz-utils 5.6.0 (known exploited), fixed in 5.6.1. Use shop/api:1.4.2.`
 * What matters most comes first; where it is too long, the end gives way.
 */
export function heldLine(held: Held): string {
  const [first, ...others] = held.reasons.filter((reason) => reason.effect === 'deny')
  const more = others.length > 0 ? ` (and ${others.length} more)` : ''
  const cause = ascii(first === undefined ? 'no reason is on record' : first.message)
  const subject = `${held.repository}@${shortDigest(held.digest)}`
  const grant = held.tellsGrant === true ? ' To work on it: grant read-quarantined.' : ''
  const stop = grant === '' ? '' : '.' // a command that ends the line can be taken as it stands
  const way = held.alternative === undefined ? ` See: lazaret why ${subject}${stop}` : ` Use ${held.alternative}.`
  const head = `lazaret: ${nameOf(held.repository, held.digest)} is held: `
  const room = mostLineCharacters - head.length - grant.length
  const candidates = [`${cause}${more}.${way}`, `${cause}${more}.`, `${cutAtWord(cause, room - more.length - 1)}${more}.`]
  return head + (candidates.find((candidate) => candidate.length <= room) ?? cutAtWord(`${cause}.`, room)) + grant
}

export function pendingLine(repository: string, digest: Digest, tellsGrant: boolean): string {
  const grant = tellsGrant ? '. To work on it before: grant read-quarantined' : ''
  return `lazaret: ${nameOf(repository, digest)} is being examined, try again${grant}`
}

export function cacheLine(repository: string): string {
  return `lazaret: ${shortName(repository)}: a build cache is read by those who may push here`
}

export function unheldLine(repository: string, digest: Digest): string {
  return `lazaret: ${shortName(repository)}: no image that may be pulled holds ${shortDigest(digest)}...`
}

/** `299 - "…"`, of at most 120 characters in all. */
export function warningOf(reasons: Reason[]): string | undefined {
  const first = reasons.find((reason) => reason.effect === 'warn')
  if (first === undefined) return undefined
  const room = mostWarningCharacters - '299 - ""'.length
  return `299 - "${cutAtWord(ascii(`lazaret: ${first.message}`).replaceAll(/["\\]/g, "'"), room)}"`
}

/** A name has up to 255 characters, and must leave room for the cause: its end tells more than its beginning. */
const mostNameCharacters = 80

function shortName(repository: string): string {
  return repository.length <= mostNameCharacters ? repository : `...${repository.slice(3 - mostNameCharacters)}`
}

function nameOf(repository: string, digest: Digest): string {
  return `${shortName(repository)}@${shortDigest(digest)}`
}

/** Cut where a word ends, if one does near the end. */
function cutAtWord(text: string, room: number): string {
  if (text.length <= room) return text
  const cut = text.slice(0, Math.max(room - 3, 0))
  return `${cut.slice(0, Math.max(cut.lastIndexOf(' '), room - 30))}...`
}

function ascii(text: string): string {
  return text.replaceAll('…', '...').replaceAll(/[^\x20-\x7e]/g, '?')
}
