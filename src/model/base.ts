import { parseDigest, type Digest } from './digest.ts'
import { isRepositoryPattern, isTag, matchesPattern } from './names.ts'

/** `declared`: somebody said that it is one, and its layers prove it. `hidden`: an image that the asker may not see. */
export type BaseKnown = 'declared' | 'image' | 'hidden' | 'unknown'

/** The image that another was built on: all layers of the one are the lowest of the other. */
export interface BaseImage {
  known: BaseKnown
  /** How many of the lowest layers are its own; absent where it is unknown, as are the next three. */
  layers?: number
  digest?: Digest
  /** As `NAME:TAG`, or `NAME@DIGEST` where no tag is on it. */
  names?: string[]
  /** How many more images have the very same layers. */
  others?: number
  /** Why it is unknown. */
  why?: string
  /** What the image says of itself. */
  claim?: BaseClaim
}

/** Whoever built an image may write anything there: it is shown, and counts for nothing. */
export interface BaseClaim {
  name?: string
  digest?: string
}

/** Whether the base already had a finding. */
export type InBase = boolean | 'unknown'

const mostClaimed = 300

/** In: annotations of a manifest and labels of its config. Out: what they claim, the annotations first. OCI image-spec, annotations.md. */
export function claimedBase(...sources: readonly Readonly<Record<string, string>>[]): BaseClaim | undefined {
  const [name, digest] = (['name', 'digest'] as const).map((word) =>
    sources
      .flatMap((source) => (Object.hasOwn(source, `${key}${word}`) ? (source[`${key}${word}`] ?? []) : []))
      .find((text) => text !== '')
      ?.slice(0, mostClaimed),
  )
  if (name === undefined && digest === undefined) return undefined
  return { ...(name !== undefined && { name }), ...(digest !== undefined && { digest }) }
}

const key = 'org.opencontainers.image.base.'

/**
 * In: the layers (diffIDs) that brought what a finding is about, and those of the base. Out: whether it was there already, be it that
 * a layer above brought it once more. What nobody can tell is `unknown`.
 */
export function wasInBase(broughtBy: readonly (string | undefined)[], base: ReadonlySet<string> | undefined): InBase {
  if (base === undefined) return 'unknown'
  if (broughtBy.some((layer) => layer !== undefined && base.has(layer))) return true
  return broughtBy.length === 0 || broughtBy.includes(undefined) ? 'unknown' : false
}

/** `PATTERN[:TAG|@DIGEST]`: all images of the repositories that the pattern covers, or those of them with that tag or digest. */
export interface BasePattern {
  pattern: string
  tag?: string
  digest?: Digest
}

/** Out: undefined where it is none. */
export function parseBasePattern(text: string): BasePattern | undefined {
  const [, pattern = '', mark, rest = ''] = /^([^:@]{1,255})(?:([:@])(.{1,200}))?$/.exec(text) ?? []
  if (!isRepositoryPattern(pattern)) return undefined
  if (mark === undefined) return { pattern }
  if (mark === ':') return isTag(rest) ? { pattern, tag: rest } : undefined
  const digest = parseDigest(rest)
  return digest === undefined ? undefined : { pattern, digest }
}

export function showBasePattern({ pattern, tag, digest }: BasePattern): string {
  return `${pattern}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`
}

/** Whether it declares this image, in this repository, with one of these tags on it. */
export function declaresBase(
  { pattern, tag, digest }: BasePattern,
  image: { repository: string; digest: Digest; tags: readonly string[] },
): boolean {
  if (!matchesPattern(pattern, image.repository)) return false
  return (tag === undefined || image.tags.includes(tag)) && (digest === undefined || digest === image.digest)
}
