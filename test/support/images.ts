// Images in the forms that clients push, made without a network.

import { mediaTypes } from '../../src/model/manifest.ts'
import { type Content, contentOf, type ContentDescriptor, descriptorOf } from './content.ts'
import { type Files, type Form, type Layer, layerOf, type Packing } from './layers.ts'

export interface ImageOptions {
  form?: Form
  packing?: Packing
  architecture?: string
  config?: Record<string, unknown>
  annotations?: Record<string, string>
}

/** In: the files of each layer, lowest first. Out: an image of one platform. */
export async function imageOf(layerFiles: readonly Files[], options: ImageOptions = {}): Promise<Content> {
  const layers: Layer[] = []
  for (const files of layerFiles) layers.push(await layerOf(files, options.packing ?? 'gzip', options.form ?? 'oci'))
  return imageOfLayers(layers, options)
}

export function imageOfLayers(layers: readonly Layer[], options: ImageOptions = {}): Content {
  const isDocker = options.form === 'docker'
  const config = Buffer.from(JSON.stringify(configOf(layers, options)))
  const manifest = {
    schemaVersion: 2,
    mediaType: isDocker ? mediaTypes.dockerManifest : mediaTypes.ociManifest,
    config: descriptorOf(isDocker ? mediaTypes.dockerConfig : mediaTypes.ociConfig, config),
    layers: layers.map((layer) => layer.descriptor),
    ...(options.annotations === undefined ? {} : { annotations: options.annotations }),
  }
  return contentOf(manifest, [config, ...layers.map((layer) => layer.bytes)])
}

/** In: images by platform. Out: the index, or Docker's manifest list. */
export function indexOf(children: readonly { content: Content; architecture: string }[], form: Form = 'oci'): Content {
  const manifests = children.map(({ content, architecture }) => ({ ...content.root, platform: { os: 'linux', architecture } }))
  return indexOfDescriptors(
    manifests,
    children.map((child) => child.content),
    form,
  )
}

export interface ArtifactOptions {
  subject?: ContentDescriptor
  config?: { mediaType: string; bytes: Buffer }
  annotations?: Record<string, string>
}

/** OCI image-spec, "Guidelines for Artifact Usage": a manifest whose config is empty unless given. */
export function artifactOf(
  artifactType: string,
  blobs: readonly { mediaType: string; bytes: Buffer }[],
  options: ArtifactOptions = {},
): Content {
  const config = options.config ?? { mediaType: mediaTypes.ociEmpty, bytes: Buffer.from('{}') }
  const manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    artifactType,
    config: descriptorOf(config.mediaType, config.bytes),
    layers: blobs.map((blob) => descriptorOf(blob.mediaType, blob.bytes)),
    ...(options.subject === undefined ? {} : { subject: plain(options.subject) }),
    ...(options.annotations === undefined ? {} : { annotations: options.annotations }),
  }
  return contentOf(manifest, [config.bytes, ...blobs.map((blob) => blob.bytes)])
}

export function indexOfDescriptors(manifests: readonly ContentDescriptor[], children: readonly Content[], form: Form = 'oci'): Content {
  const mediaType = form === 'docker' ? mediaTypes.dockerList : mediaTypes.ociIndex
  return contentOf({ schemaVersion: 2, mediaType, manifests } as { mediaType: string }, [], children)
}

function configOf(layers: readonly Layer[], options: ImageOptions): object {
  const created = '2026-01-01T00:00:00Z'
  return {
    created,
    architecture: options.architecture ?? 'amd64',
    os: 'linux',
    config: { Cmd: ['/bin/true'], User: '1000:1000', ...options.config },
    rootfs: { type: 'layers', diff_ids: layers.map((layer) => layer.diffId) },
    history: layers.map((_, at) => ({ created, created_by: `COPY part-${at} /` })),
  }
}

function plain(descriptor: ContentDescriptor): ContentDescriptor {
  return { mediaType: descriptor.mediaType, digest: descriptor.digest, size: descriptor.size }
}
