import type { Readable } from 'node:stream'
import type { Digest } from '../../model/digest.ts'
import type { LayerFacts } from '../../model/layer.ts'
import type { Platform } from '../../model/manifest.ts'

/** An image that lies on this machine, opened for reading. `close` it when its layers were read. */
export interface LocalImage {
  kind: 'docker-archive' | 'oci-archive' | 'oci-layout' | 'rootfs' | 'sbom'
  manifests: LocalManifest[]
  /** What could not be read, for people: manifests that an index lists and the archive lacks, files of a folder. Grows while layers are read. */
  problems: string[]
  close(): Promise<void>
}

export interface LocalManifest {
  /**
   * By its content: `image` has an image config; `attestation` is BuildKit's, in-toto statements beside an image;
   * `artifact` is anything else.
   */
  role: 'image' | 'attestation' | 'artifact'
  /** Absent in Docker archives and folders. */
  digest?: Digest
  platform?: Platform
  /** Tags or names that the archive gives it. */
  names: string[]
  /** Of the manifest; absent where its form has none. */
  annotations?: Record<string, string>
  /** `{}` for a root file system. */
  configBytes: Buffer
  layers: LocalLayer[]
}

export interface LocalLayer {
  /** Of the stored bytes, where the archive says: then `open` holds them to it. */
  digest?: Digest
  /** What the config says that the uncompressed tar has. */
  diffId?: Digest
  mediaType?: string
  sizeBytes?: number
  /** Where the stored bytes lie, if they are a file by themselves. */
  path?: string
  /** The stored bytes from their start, as often as need be. Errors: UNREADABLE where they don't have their digest. */
  open(): Readable
  /** Which digest the stored bytes have, whatever they are called; absent where they are not stored, or of another size than is said. */
  storedDigest?: () => Promise<Digest>
  /** Where there is no tar to be walked: what an SBOM says. Errors: UNREADABLE. */
  facts?: () => Promise<LayerFacts>
}
