// What BuildKit pushes beside plain images: indexes with attestations, and its caches in both forms.

import { mediaTypes } from '../../src/model/manifest.ts'
import { type Content, contentOf, type ContentDescriptor, descriptorOf } from './content.ts'
import { imageOf, indexOfDescriptors } from './images.ts'
import type { Files, Layer } from './layers.ts'

/** In: an image. Out: an index as `docker buildx build --provenance` pushes it: the image, and a manifest of platform unknown/unknown that describes it. */
export function attestedIndex(image: Content, architecture = 'amd64'): Content {
  const attestation = attestationOf(image)
  const annotations = { 'vnd.docker.reference.digest': image.root.digest, 'vnd.docker.reference.type': 'attestation-manifest' }
  const children: ContentDescriptor[] = [
    { ...image.root, platform: { os: 'linux', architecture } },
    { ...attestation.root, annotations, platform: { os: 'unknown', architecture: 'unknown' } },
  ]
  return indexOfDescriptors(children, [image, attestation])
}

/** `--cache-to type=registry,image-manifest=true`: a manifest whose config is the cache config. */
export function cacheImage(layers: readonly Layer[]): Content {
  const config = cacheConfig(layers)
  const manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: descriptorOf(mediaTypes.buildkitCacheConfig, config),
    layers: layers.map((layer) => cacheDescriptor(layer)),
  }
  return contentOf(manifest, [config, ...layers.map((layer) => layer.bytes)])
}

/** The older form: an index whose descriptors are layers, and the config last. */
export function cacheIndex(layers: readonly Layer[]): Content {
  const config = cacheConfig(layers)
  const manifests = [...layers.map((layer) => cacheDescriptor(layer)), descriptorOf(mediaTypes.buildkitCacheConfig, config)]
  return contentOf({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests } as { mediaType: string }, [
    config,
    ...layers.map((layer) => layer.bytes),
  ])
}

/** An image for two platforms, each with files of its own. */
export async function platformImages(files: Files): Promise<{ content: Content; architecture: string }[]> {
  const of = async (architecture: string) => ({
    content: await imageOf([files, { 'etc/architecture': `${architecture}\n` }], { architecture }),
    architecture,
  })
  return [await of('amd64'), await of('arm64')]
}

function attestationOf(image: Content): Content {
  const statement = Buffer.from(
    JSON.stringify({
      _type: 'https://in-toto.io/Statement/v0.1',
      predicateType: 'https://slsa.dev/provenance/v0.2',
      subject: [{ name: 'image', digest: { sha256: image.root.digest.slice(7) } }],
      predicate: { builder: { id: 'https://builder.example' }, buildType: 'https://mobyproject.org/buildkit@v1' },
    }),
  )
  const layer = {
    ...descriptorOf('application/vnd.in-toto+json', statement),
    annotations: { 'in-toto.io/predicate-type': 'https://slsa.dev/provenance/v0.2' },
  }
  const rootfs = { type: 'layers', diff_ids: [layer.digest] }
  const config = Buffer.from(JSON.stringify({ architecture: 'unknown', os: 'unknown', config: {}, rootfs }))
  const manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: descriptorOf(mediaTypes.ociConfig, config),
    layers: [layer],
  }
  return contentOf(manifest, [config, statement])
}

function cacheConfig(layers: readonly Layer[]): Buffer {
  const chain = layers.map((layer, at) => ({ blob: layer.descriptor.digest, parent: at - 1 }))
  const records = layers.map((layer, at) => ({
    layers: [{ layer: at, createdAt: '2026-01-01T00:00:00Z' }],
    digest: layer.diffId,
    inputs: [],
  }))
  return Buffer.from(JSON.stringify({ layers: chain, records }))
}

function cacheDescriptor(layer: Layer): ContentDescriptor {
  return { ...layer.descriptor, annotations: { 'buildkit/createdat': '2026-01-01T00:00:00Z', 'containerd.io/uncompressed': layer.diffId } }
}
