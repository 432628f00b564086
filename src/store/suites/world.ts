import { createHash, randomUUID } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { scratch } from '../../../test/support/scratch.ts'
import type { Digest, DigestAlgorithm } from '../../model/digest.ts'
import { mediaTypes } from '../../model/manifest.ts'
import { createBlobs, type Blob, type Blobs } from '../blobs/blobs.ts'
import type { UploadOwner } from '../blobs/sessions.ts'
import { createUploads, type Uploads } from '../blobs/uploads.ts'
import { acceptManifest, type Incoming } from '../manifests/accept.ts'
import { createManifests, type Manifests } from '../manifests/manifests.ts'
import { openFileObjects } from '../objects/files.ts'
import type { ObjectStore } from '../objects/objects.ts'
import { chunks } from '../objects/suite.ts'
import type { Records } from '../records/records.ts'
import { ensureRepository, type Repository } from '../repositories.ts'
import type { OpenRecords } from './records.ts'

/** The store over empty records and an empty folder, with a clock that the test moves. */
export interface World {
  records: Records
  objects: ObjectStore
  /** Of the objects. */
  folder: string
  clock: { now: number }
  blobs: Blobs
  uploads: Uploads
  manifests: Manifests
  /** Names of the files on disk. */
  files(): Promise<string[]>
  /** The same place as another process finds it. */
  restarted(): Promise<Uploads>
}

export const expireSeconds = 3600

export async function openWorld(stack: AsyncDisposableStack, open: OpenRecords): Promise<World> {
  const records = await open()
  const folder = join(await scratch(stack, 'world'), 'objects')
  const objects = await openFileObjects(folder)
  const clock = { now: 1_800_000_000_000 }
  const now = () => clock.now
  const uploads = createUploads(records, objects, { expireSeconds, now })
  stack.defer(() => uploads.close())
  return {
    records,
    objects,
    folder,
    clock,
    blobs: createBlobs(records, objects, now),
    uploads,
    manifests: createManifests(records),
    async files() {
      const entries = await readdir(folder, { recursive: true, withFileTypes: true })
      return entries.flatMap((entry) => (entry.isFile() ? [entry.name] : []))
    },
    async restarted() {
      const again = createUploads(records, await openFileObjects(folder), { expireSeconds, now })
      stack.defer(() => again.close())
      return again
    },
  }
}

export function repository(world: World, name: string): Promise<Repository> {
  return world.records.write((tx) => ensureRepository(tx, name, world.clock.now))
}

export async function ownerIn(world: World, name: string, principal = 'user:dev'): Promise<UploadOwner> {
  return { repositoryId: (await repository(world, name)).id, principal }
}

export function digestOfBytes(bytes: Uint8Array | string, algorithm: DigestAlgorithm = 'sha256'): Digest {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}` as Digest
}

export async function pushBlob(world: World, name: string, bytes: Buffer | string): Promise<Blob> {
  const owner = await ownerIn(world, name)
  const content = Buffer.from(bytes)
  return world.uploads.finish(await world.uploads.start(owner), owner, chunks([content]), digestOfBytes(content))
}

export interface Json {
  [key: string]: unknown
}

export function descriptor(mediaType: string, bytes: Buffer | string, more: Json = {}): Json {
  return { mediaType, digest: digestOfBytes(bytes), size: Buffer.byteLength(bytes), ...more }
}

/** An image whose layers are these texts. Out: its manifest as JSON, and the blobs that it needs. */
export function imageJson(layers: string[], more: Json = {}): { json: Json; blobs: string[] } {
  const config = JSON.stringify({
    architecture: 'amd64',
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: layers.map((layer) => digestOfBytes(layer)) },
  })
  const json = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: descriptor(mediaTypes.ociConfig, config),
    layers: layers.map((layer) => descriptor('application/vnd.oci.image.layer.v1.tar', layer)),
    ...more,
  }
  return { json, blobs: [config, ...layers] }
}

export function artifactJson(artifactType: string, files: string[], more: Json = {}): { json: Json; blobs: string[] } {
  const json = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    artifactType,
    config: descriptor(mediaTypes.ociEmpty, '{}'),
    layers: files.map((file) => descriptor('application/octet-stream', file)),
    ...more,
  }
  return { json, blobs: ['{}', ...files] }
}

export function indexJson(children: Json[], more: Json = {}): Json {
  return { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: children, ...more }
}

export interface Pushed {
  digest: Digest
  repositoryId: number
  bytes: Buffer
  /** How an index names it. */
  descriptor: Json
}

/** Pushes the blobs, then the manifest. */
export async function pushManifest(
  world: World,
  name: string,
  json: Json,
  options: Partial<Incoming> & { blobs?: string[] } = {},
): Promise<Pushed> {
  for (const blob of options.blobs ?? []) await pushBlob(world, name, blob)
  const bytes = options.bytes ?? Buffer.from(JSON.stringify(json))
  const mediaType = typeof json['mediaType'] === 'string' ? json['mediaType'] : ''
  const incoming = {
    repository: name,
    bytes,
    declaredType: mediaType,
    tags: [],
    principal: 'user:dev',
    address: '192.0.2.1',
    immutableTags: undefined,
    ...options,
  }
  const { manifest, repositoryId } = await acceptManifest(world.records, world.blobs, incoming, world.clock.now)
  return { digest: manifest.digest, repositoryId, bytes, descriptor: { mediaType, digest: manifest.digest, size: bytes.length } }
}

export async function pushImage(world: World, name: string, tags: string[] = [], layers: string[] = [randomUUID()]): Promise<Pushed> {
  const { json, blobs } = imageJson(layers)
  return pushManifest(world, name, json, { blobs, tags })
}
