// Images that the gate holds, warns of and lets through, each of its own bytes by its salt.

import { mediaTypes } from '../../../src/model/manifest.ts'
import { type Content, contentOf, descriptorOf } from '../../support/content.ts'
import { imageOf, type ImageOptions } from '../../support/images.ts'
import { type Layer, layerOf } from '../../support/layers.ts'
import { npmApplication } from '../../support/worlds.ts'
import { flaws } from './advisories.ts'

/** Denied: a critical flaw that version 2.0.0 cures. */
export const heldImage = (salt: string, options?: ImageOptions) => appImage({ [flaws.critical.name]: '1.0.0' }, salt, options)
export const cleanImage = (salt: string, options?: ImageOptions) => appImage({ [flaws.critical.name]: '2.0.0' }, salt, options)
/** A critical flaw without a cure: `balanced` warns. */
export const warnedImage = (salt: string) => appImage({ [flaws.unfixed.name]: '1.0.0' }, salt)
export const maliciousImage = (salt: string) => appImage({ [flaws.malicious.name]: '1.0.0' }, salt)

/** The application's layer is the last one. */
function appImage(packages: Record<string, string>, salt: string, options: ImageOptions = {}): Promise<Content> {
  return imageOf([{ 'etc/salt': salt }, { ...npmApplication(packages), 'app/salt': salt }], options)
}

export const heldLayer = (salt: string): Promise<Layer> =>
  layerOf({ ...npmApplication({ [flaws.critical.name]: '1.0.0' }), 'app/salt': salt })
export const cleanLayer = (salt: string): Promise<Layer> => layerOf({ 'etc/salt': salt })

/** Digests of the layers of an image, lowest first, and of its config. */
export function partsOf(image: Content): { config: string; layers: string[] } {
  const { config, layers } = JSON.parse(rootBytes(image).toString('utf8')) as { config: { digest: string }; layers: { digest: string }[] }
  return { config: config.digest, layers: layers.map((layer) => layer.digest) }
}

export function rootBytes(content: Content): Buffer {
  const root = content.manifests.get(content.root.digest)
  if (root === undefined) throw new Error('a content without its root')
  return root.bytes
}

/** A manifest with any config and any layers, as a pusher may claim. */
export function manifestOf(parts: {
  config: { mediaType: string; bytes: Buffer }
  layers: { mediaType: string; bytes: Buffer }[]
  more?: object
}): Content {
  const manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: descriptorOf(parts.config.mediaType, parts.config.bytes),
    layers: parts.layers.map((layer) => descriptorOf(layer.mediaType, layer.bytes)),
    ...parts.more,
  }
  return contentOf(manifest, [parts.config.bytes, ...parts.layers.map((layer) => layer.bytes)])
}

export const gzipLayer = 'application/vnd.oci.image.layer.v1.tar+gzip'

/** An image config that names these layers. */
export function configOf(layers: readonly Layer[], more: object = {}): Buffer {
  return Buffer.from(
    JSON.stringify({
      architecture: 'amd64',
      os: 'linux',
      config: {},
      rootfs: { type: 'layers', diff_ids: layers.map((layer) => layer.diffId) },
      ...more,
    }),
  )
}
