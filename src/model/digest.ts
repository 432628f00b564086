// OCI image-spec, descriptor.md, "Digests". Only registered algorithms: an unknown one can't be checked.

export type DigestAlgorithm = 'sha256' | 'sha512'

/** `algorithm:hex`, already checked. Made only by `parseDigest` and by the hashing of bytes. */
export type Digest = string & { readonly __digest: unique symbol }

const hexLength: Record<DigestAlgorithm, number> = { sha256: 64, sha512: 128 }
const form = /^(sha256|sha512):([0-9a-f]+)$/

/** In: any text. Out: the digest, or undefined where it isn't one that we can check. */
export function parseDigest(text: unknown): Digest | undefined {
  if (typeof text !== 'string' || text.length > 135) return undefined
  const match = form.exec(text)
  if (match === null) return undefined
  return match[2]?.length === hexLength[match[1] as DigestAlgorithm] ? (text as Digest) : undefined
}

/** In: an algorithm and its lower-case hex. Out: the digest. Throws a TypeError on any other text. */
export function digestOf(algorithm: DigestAlgorithm, hex: string): Digest {
  const digest = parseDigest(`${algorithm}:${hex}`)
  if (digest === undefined) throw new TypeError(`not a ${algorithm} digest: ${hex.slice(0, 140)}`)
  return digest
}

export function digestAlgorithm(digest: Digest): DigestAlgorithm {
  return digest.slice(0, digest.indexOf(':')) as DigestAlgorithm
}

export function digestHex(digest: Digest): string {
  return digest.slice(digest.indexOf(':') + 1)
}

/** `sha256:1f2e3d4c…` cut for people: the algorithm and twelve hex digits. */
export function shortDigest(digest: Digest): string {
  return digest.slice(0, digest.indexOf(':') + 13)
}
