// Images and other content in memory, byte for byte as a registry will hold it: OCI image-spec 1.1, Docker schema 2.

import { createHash } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

export interface ContentDescriptor {
  mediaType: string
  digest: string
  size: number
  artifactType?: string
  annotations?: Record<string, string>
  platform?: { os: string; architecture: string; variant?: string }
}

/** One root manifest and all that it leads to. */
export interface Content {
  root: ContentDescriptor
  /** By digest; children before the manifests that list them. */
  manifests: Map<string, { mediaType: string; bytes: Buffer }>
  blobs: Map<string, Buffer>
}

export function sha256(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}

export function descriptorOf(mediaType: string, bytes: Uint8Array): ContentDescriptor {
  return { mediaType, digest: sha256(bytes), size: bytes.length }
}

/** In: a manifest's JSON, the blobs that it lists, and the content of its children. Out: the whole as one content. */
export function contentOf(manifest: { mediaType: string }, blobs: readonly Uint8Array[], children: readonly Content[] = []): Content {
  const bytes = Buffer.from(JSON.stringify(manifest))
  const root = descriptorOf(manifest.mediaType, bytes)
  const manifests = new Map(children.flatMap((child) => [...child.manifests]))
  manifests.set(root.digest, { mediaType: manifest.mediaType, bytes })
  const own = blobs.map((blob) => [sha256(blob), Buffer.from(blob)] as const)
  return { root, manifests, blobs: new Map([...children.flatMap((child) => [...child.blobs]), ...own]) }
}

/** Every digest of a content, sorted: what must be the same after a round trip. */
export function digestsOf(content: Content): string[] {
  return [...content.manifests.keys(), ...content.blobs.keys()].toSorted()
}

/**
 * Writes an OCI layout that clients read.
 *   oci-layout   index.json (one entry, named by the tag)   blobs/sha256/HEX
 */
export async function writeLayout(content: Content, folder: string, tag: string): Promise<string> {
  const blobs = join(folder, 'blobs', 'sha256')
  await mkdir(blobs, { recursive: true })
  for (const [digest, manifest] of content.manifests) await writeFile(join(blobs, digest.slice(7)), manifest.bytes)
  for (const [digest, bytes] of content.blobs) await writeFile(join(blobs, digest.slice(7)), bytes)
  const entry = { ...content.root, annotations: { 'org.opencontainers.image.ref.name': tag } }
  const index = { schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests: [entry] }
  await writeFile(join(folder, 'index.json'), JSON.stringify(index))
  await writeFile(join(folder, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }))
  return folder
}
