import { parseDigest, type Digest } from './digest.ts'
import { isRepositoryName, isTag } from './names.ts'

/** `NAME[:TAG|@DIGEST]` as users write it, of this registry: without a host. */
export interface ImageReference {
  repository: string
  tag?: string
  digest?: Digest
}

/** In: `shop/api:1.4.2`, `shop/api@sha256:…`, `shop/api` (tag latest), both tag and digest (the digest counts). Out: undefined where it is none. */
export function parseImageReference(text: string): ImageReference | undefined {
  if (text.length > 600) return undefined
  const at = text.indexOf('@')
  const named = at < 0 ? text : text.slice(0, at)
  const digest = at < 0 ? undefined : parseDigest(text.slice(at + 1))
  if (at >= 0 && digest === undefined) return undefined
  const colon = named.lastIndexOf(':')
  const repository = colon < 0 ? named : named.slice(0, colon)
  const tag = colon < 0 ? undefined : named.slice(colon + 1)
  if (!isRepositoryName(repository) || (tag !== undefined && !isTag(tag))) return undefined
  if (digest !== undefined) return { repository, digest }
  return { repository, tag: tag ?? 'latest' }
}
