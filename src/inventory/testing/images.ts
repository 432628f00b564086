// For tests only: images as files of an archive, made by hand.
import { createHash } from 'node:crypto'
import { digestHex, digestOf } from '../../model/digest.ts'
import type { Digest } from '../../model/digest.ts'

export interface Blob {
  bytes: Buffer
  digest: Digest
}

export interface MadeDescriptor {
  mediaType: string
  digest: Digest
  size: number
  platform?: { os: string; architecture: string }
  annotations?: Record<string, string>
}

export function blobOf(content: Buffer | object): Blob {
  const bytes = Buffer.isBuffer(content) ? content : Buffer.from(JSON.stringify(content))
  return { bytes, digest: digestOf('sha256', createHash('sha256').update(bytes).digest('hex')) }
}

/** In: a blob. Out: how a manifest or an index points at it. */
export function pointTo(blob: Blob, mediaType: string, more: Partial<MadeDescriptor> = {}): MadeDescriptor {
  return { mediaType, digest: blob.digest, size: blob.bytes.length, ...more }
}

export const types = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar',
  inToto: 'application/vnd.in-toto+json',
}

/** In: uncompressed layers. Out: the blobs of an image: config, layers, and at the end its manifest. */
export function imageOf(layers: Buffer[], mediaType = types.layer, configType = types.config): { manifest: Blob; blobs: Blob[] } {
  const stored = layers.map(blobOf)
  const config = blobOf({ os: 'linux', architecture: 'amd64', rootfs: { type: 'layers', diff_ids: stored.map(({ digest }) => digest) } })
  const manifest = blobOf({
    schemaVersion: 2,
    mediaType: types.manifest,
    config: pointTo(config, configType),
    layers: stored.map((blob) => pointTo(blob, mediaType)),
  })
  return { manifest, blobs: [config, ...stored, manifest] }
}

/** In: descriptors of the top index, and every blob. Out: the files of an OCI layout. */
export function layoutOf(manifests: MadeDescriptor[], blobs: Blob[]): [string, Buffer | string][] {
  return [
    ['oci-layout', '{"imageLayoutVersion":"1.0.0"}'],
    ['index.json', JSON.stringify({ schemaVersion: 2, manifests })],
    ...blobs.map(({ digest, bytes }): [string, Buffer] => [`blobs/sha256/${digestHex(digest)}`, bytes]),
  ]
}
