import { LazaretError } from '../../kit/errors.ts'
import type { Digest } from '../../model/digest.ts'
import type { Platform } from '../../model/manifest.ts'
import { asDigest, asObject, platformOf } from './json.ts'
import type { JsonObject } from './json.ts'

export interface LocalDescriptor {
  digest: Digest
  sizeBytes: number
  /** Empty where none is stated. */
  mediaType: string
  platform?: Platform
  annotations: Record<string, string>
}

const inToto = 'application/vnd.in-toto+json'

/** In: any JSON. Out: the descriptor that it is. Throws UNREADABLE. OCI image-spec, descriptor.md. */
export function descriptorOf(value: unknown): LocalDescriptor {
  const { digest, size, mediaType, platform, annotations } = asObject(value, 'a descriptor')
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0)
    throw new LazaretError('UNREADABLE', `a descriptor has no size: ${String(digest).slice(0, 100)}`)
  const stated = platformOf(platform)
  return {
    digest: asDigest(digest, 'the digest of a descriptor'),
    sizeBytes: size,
    mediaType: typeof mediaType === 'string' ? mediaType : '',
    ...(stated !== undefined && { platform: stated }),
    annotations: textsOf(annotations),
  }
}

/** By what it holds. Both kinds at once would let two readers see two images under one digest. */
export function contentOf(json: JsonObject, digest: Digest): 'index' | 'manifest' {
  const isIndex = Array.isArray(json['manifests'])
  const isManifest = Array.isArray(json['layers']) && typeof json['config'] === 'object'
  if (isIndex === isManifest)
    throw new LazaretError('UNREADABLE', `${digest} is ${isIndex ? 'an index and an image at once' : 'neither an image nor an index'}`)
  return isIndex ? 'index' : 'manifest'
}

/**
 * BuildKit's: for no platform, or marked as one, and with nothing to unpack. An image that merely claims it is an image.
 * github.com/moby/buildkit, docs/attestations/attestation-storage.md.
 */
export function isAttestation(descriptor: LocalDescriptor, layers: LocalDescriptor[]): boolean {
  const { platform, annotations } = descriptor
  const claims =
    annotations['vnd.docker.reference.type'] === 'attestation-manifest' ||
    (platform?.os === 'unknown' && platform.architecture === 'unknown')
  return claims && layers.length > 0 && layers.every(({ mediaType }) => mediaType === inToto)
}

/** The names that an index gives a manifest, else those of the index above. */
export function namesOf({ annotations }: LocalDescriptor, above: string[]): string[] {
  const names = [annotations['io.containerd.image.name'], annotations['org.opencontainers.image.ref.name']].filter(
    (name) => name !== undefined,
  )
  return names.length > 0 ? [...new Set(names)] : above
}

/** In: any JSON. Out: what of its members is text, the first thousand. */
export function textsOf(value: unknown): Record<string, string> {
  if (typeof value !== 'object' || value === null) return {}
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, text]) => typeof text === 'string')
      .slice(0, 1000),
  )
}
