import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { LazaretError } from '../kit/errors.ts'
import type { Outgoing } from '../kit/outgoing/outgoing.ts'
import { digestOf, type Digest } from '../model/digest.ts'
import { mediaTypes } from '../model/manifest.ts'
import type { Credentials } from './authorization.ts'
import { parseRemoteReference, type RemoteReference } from './reference.ts'
import { boundedBytes, jsonObject, registryClient, type RegistryWriter } from './registry-client.ts'
import { descriptor, hashed, verified } from './remote.ts'

/** One file as an OCI artifact (image-spec, manifest.md, "Guidelines for Artifact Usage"): an empty config and one layer. */
export interface ArtifactType {
  artifactType: string
  /** Of its layer. */
  mediaType: string
}

/** How other registries are reached. */
export interface RegistryWay {
  outgoing: Outgoing
  credentialsFor: (registry: string) => Promise<Credentials | undefined>
}

const emptyConfig = { mediaType: 'application/vnd.oci.empty.v1+json', bytes: Buffer.from('{}') }
const mostManifestBytes = 1024 * 1024

/** In: where to, the file, and what is said of it. Out: the digest of the manifest. Errors: those of `registryClient`, USAGE for a digest. */
export async function pushArtifact(
  text: string,
  path: string,
  { artifactType, mediaType, annotations }: ArtifactType & { annotations: Record<string, string> },
  way: RegistryWay,
): Promise<{ digest: Digest; reference: string }> {
  const reference = parseRemoteReference(text)
  if (reference.digest !== undefined) throw new LazaretError('USAGE', `${text} names a digest, and what is pushed has its own: name a tag`)
  const client = await clientOf(reference, way)
  const layer = await fileOf(path)
  const config = { digest: sha256(emptyConfig.bytes), size: emptyConfig.bytes.length }
  await putBlob(client, reference, config, () => bytesOf(emptyConfig.bytes))
  await putBlob(client, reference, layer, () => createReadStream(path))
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      artifactType,
      config: { mediaType: emptyConfig.mediaType, ...config },
      layers: [{ mediaType, ...layer }],
      annotations,
    }),
  )
  const tag = reference.tag ?? 'latest'
  const headers = { 'content-type': mediaTypes.ociManifest, 'content-length': String(manifest.length) }
  const answer = await client.send('PUT', `/v2/${reference.repository}/manifests/${tag}`, { headers, body: () => bytesOf(manifest) })
  await answer.body?.cancel()
  return { digest: sha256(manifest), reference: `${reference.registry}/${reference.repository}:${tag}` }
}

/**
 * Reads such an artifact's one layer into a file that is not there yet, held to digest and size. Errors: those of `registryClient`,
 * UNREADABLE where it is another kind of manifest or its bytes are not what they are called, LIMIT_EXCEEDED.
 */
export async function pullArtifact(
  text: string,
  path: string,
  { artifactType, mediaType, mostBytes }: ArtifactType & { mostBytes: number },
  way: RegistryWay,
): Promise<{ digest: Digest }> {
  const reference = parseRemoteReference(text)
  const client = await clientOf(reference, way)
  const name = reference.digest ?? reference.tag ?? 'latest'
  const answer = await client.get(`/v2/${reference.repository}/manifests/${name}`, { accept: mediaTypes.ociManifest })
  const bytes = await boundedBytes(answer, mostManifestBytes)
  const digest = hashed(bytes, reference.digest)
  const layer = onlyLayer(text, jsonObject(bytes.toString('utf8'), 'the manifest'), { artifactType, mediaType })
  if (layer.sizeBytes > mostBytes)
    throw new LazaretError('LIMIT_EXCEEDED', `the layer of ${text} has ${layer.sizeBytes} bytes, more than ${mostBytes}`)
  await pipeline(verified(client, reference, layer), createWriteStream(path, { flags: 'wx', mode: 0o600 }))
  return { digest }
}

function onlyLayer(text: string, manifest: Record<string, unknown>, { artifactType, mediaType }: ArtifactType) {
  const { artifactType: type, layers } = manifest
  if (type !== artifactType) {
    const isWhat = typeof type === 'string' ? `an artifact of type ${JSON.stringify(type.slice(0, 100))}` : 'an image or an index'
    throw new LazaretError('UNREADABLE', `${text} is ${isWhat}, not ${artifactType}`)
  }
  if (!Array.isArray(layers) || layers.length !== 1)
    throw new LazaretError('UNREADABLE', `${text} has ${Array.isArray(layers) ? layers.length : 'no list of'} layers, and one is wanted`)
  const layer = descriptor(layers[0], 'layers[0]')
  if (layer.mediaType === mediaType) return layer
  throw new LazaretError('UNREADABLE', `the layer of ${text} is ${JSON.stringify(layer.mediaType.slice(0, 100))}, not ${mediaType}`)
}

async function clientOf(reference: RemoteReference, { outgoing, credentialsFor }: RegistryWay): Promise<RegistryWriter> {
  return registryClient(reference, await credentialsFor(reference.registry), outgoing)
}

interface Blob {
  digest: Digest
  size: number
}

/** distribution-spec, "Pushing blobs": POST, then PUT of the whole. */
async function putBlob(
  client: RegistryWriter,
  { repository, registry }: RemoteReference,
  { digest, size }: Blob,
  body: () => AsyncIterable<Uint8Array>,
): Promise<void> {
  const begun = await client.send('POST', `/v2/${repository}/blobs/uploads/`, { headers: { 'content-length': '0' } })
  await begun.body?.cancel()
  const location = begun.headers.get('location')
  if (location === null) throw new LazaretError('UNAVAILABLE', `${registry} says of no place to upload to`)
  const to = `${location}${location.includes('?') ? '&' : '?'}digest=${encodeURIComponent(digest)}`
  const headers = { 'content-type': 'application/octet-stream', 'content-length': String(size) }
  await (await client.send('PUT', to, { headers, body })).body?.cancel()
}

async function fileOf(path: string): Promise<Blob> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer)
  return { digest: digestOf('sha256', hash.digest('hex')), size: (await stat(path)).size }
}

function sha256(bytes: Buffer): Digest {
  return digestOf('sha256', createHash('sha256').update(bytes).digest('hex'))
}

async function* bytesOf(bytes: Buffer): AsyncGenerator<Uint8Array> {
  yield bytes
}
