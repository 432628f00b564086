import { mediaTypes, type Descriptor, type ManifestKind } from '../../model/manifest.ts'
import { folded, memberKeys } from './keys.ts'
import { isManifestMediaType, type ParsedManifest } from './parse.ts'

const imageConfigs: ReadonlySet<string> = new Set([mediaTypes.ociConfig, mediaTypes.dockerConfig])
/** A config larger than this is no image config: runtimes refuse it too. */
export const mostConfigBytes = 4 * 1024 * 1024

/**
 * What a manifest is, by its content: a pusher's claims (artifactType, a strange config media type) make nothing
 * an artifact that a runtime could run.
 * In: the parsed manifest, and its config's bytes (undefined where it has none, or where they are too many).
 */
export function kindOf(manifest: ParsedManifest, configBytes: Buffer | undefined): ManifestKind {
  if (manifest.isIndex) return manifest.children.some(isCacheConfig) ? 'cache' : 'index'
  if (manifest.config !== undefined && imageConfigs.has(manifest.config.mediaType)) return 'image'
  if (configBytes !== undefined && looksLikeImageConfig(configBytes)) return 'image'
  return manifest.config !== undefined && isCacheConfig(manifest.config) ? 'cache' : 'artifact'
}

/** Of an index's descriptors, those that are blobs: BuildKit's older cache lists its layers in an index. */
export function blobsOfIndex(manifest: ParsedManifest): Descriptor[] {
  return manifest.children.filter((child) => !isManifestMediaType(child.mediaType))
}

export function manifestsOfIndex(manifest: ParsedManifest): Descriptor[] {
  return manifest.children.filter((child) => isManifestMediaType(child.mediaType))
}

function isCacheConfig(descriptor: Descriptor): boolean {
  return descriptor.mediaType === mediaTypes.buildkitCacheConfig
}

/**
 * `rootfs.diff_ids` is what makes a runtime unpack layers (OCI image-spec, config.md). Any key that some reader could take for it
 * counts, wherever it stands: to be judged as an image is the stricter of the two.
 */
function looksLikeImageConfig(bytes: Buffer): boolean {
  for (const { key } of memberKeys(bytes.toString('utf8'))) if (folded(key) === 'diff_ids') return true
  return false
}
