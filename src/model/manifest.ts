import type { Digest } from './digest.ts'

/** OCI image-spec, descriptor.md; Docker schema 2 has the same shape. */
export interface Descriptor {
  mediaType: string
  digest: Digest
  sizeBytes: number
  artifactType?: string
  annotations?: Record<string, string>
  platform?: Platform
}

export interface Platform {
  os: string
  architecture: string
  variant?: string
}

/**
 * What a manifest is, by its content and never by its claims (see docs/architecture.md, "What is judged"):
 * `image`: its config is an image config; `artifact`: any other config; `cache`: BuildKit's, in both forms;
 * `index`: a list of manifests.
 */
export type ManifestKind = 'image' | 'artifact' | 'cache' | 'index'

export interface Manifest {
  kind: ManifestKind
  digest: Digest
  mediaType: string
  sizeBytes: number
  /** Absent on an index. */
  config?: Descriptor
  /** Layers of an image or blobs of an artifact; on a cache in the older form, the blobs that its index lists. */
  layers: Descriptor[]
  /** Manifests that an index lists. */
  children: Descriptor[]
  subject?: Descriptor
  /** As the referrers list shows it: `artifactType`, else the config's media type. */
  artifactType?: string
  annotations: Record<string, string>
}

export const mediaTypes = {
  ociManifest: 'application/vnd.oci.image.manifest.v1+json',
  ociIndex: 'application/vnd.oci.image.index.v1+json',
  ociConfig: 'application/vnd.oci.image.config.v1+json',
  ociEmpty: 'application/vnd.oci.empty.v1+json',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerList: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerConfig: 'application/vnd.docker.container.image.v1+json',
  buildkitCacheConfig: 'application/vnd.buildkit.cacheconfig.v0',
} as const
