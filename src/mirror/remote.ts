import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { LazaretError } from '../kit/errors.ts'
import type { Outgoing } from '../kit/outgoing/outgoing.ts'
import { digestAlgorithm, digestHex, parseDigest, shortDigest, type Digest } from '../model/digest.ts'
import { mediaTypes, type Platform } from '../model/manifest.ts'
import type { Credentials } from './authorization.ts'
import { artifactBytes, referrersOf, type Referrer } from './referrers.ts'
import { parseRemoteReference, type RemoteReference } from './reference.ts'
import { bodyOf, boundedBytes, jsonObject, registryClient, type RegistryClient } from './registry-client.ts'

export interface RemoteLayer {
  digest: Digest
  mediaType: string
  sizeBytes: number
  /** Streams it from the registry, held to its digest and size. Errors in the stream: UNREADABLE, UNAVAILABLE. */
  open(): Readable
}

export interface RemoteManifest {
  digest: Digest
  platform?: Platform
  annotations: Record<string, string>
  configBytes: Buffer
  layers: RemoteLayer[]
  /** What refers to it. */
  referrers(): Promise<Referrer[]>
  /** The first layer of what refers to it, held to its digest. Errors: UNREADABLE, LIMIT_EXCEEDED. */
  artifact(referrer: Referrer, mostBytes: number): Promise<Buffer>
}

const accept = [mediaTypes.ociIndex, mediaTypes.dockerList, mediaTypes.ociManifest, mediaTypes.dockerManifest].join(', ')
const mostManifestBytes = 8 * 1024 * 1024
const mostConfigBytes = 8 * 1024 * 1024
const mostLayers = 1000

interface Wire {
  mediaType?: unknown
  digest?: unknown
  size?: unknown
  platform?: { os?: unknown; architecture?: unknown; variant?: unknown }
}

/**
 * In: a reference, credentials where there are some, the platform wanted of an index, the way out. Out: the manifest, with layers to
 * be streamed. Errors: INPUT_INVALID, UNAVAILABLE, UNAUTHORIZED, NOT_FOUND, UNREADABLE where bytes are not what their
 * digest says.
 */
export async function openRemote(
  text: string,
  credentialsFor: (registry: string) => Promise<Credentials | undefined>,
  platform: Platform,
  outgoing: Outgoing,
): Promise<RemoteManifest> {
  const reference = parseRemoteReference(text)
  const client = registryClient(reference, await credentialsFor(reference.registry), outgoing)
  const first = await manifestOf(client, reference, reference.digest ?? reference.tag ?? 'latest', reference.digest)
  if (!Array.isArray(first.body['manifests'])) return imageOf(client, reference, first)
  const child = childFor(first.body['manifests'] as Wire[], platform)
  if (child === undefined) throw new LazaretError('NOT_FOUND', `${text} has no image for ${platform.os}/${platform.architecture}`)
  return imageOf(client, reference, await manifestOf(client, reference, child, child), platform)
}

interface Fetched {
  digest: Digest
  body: Record<string, unknown>
}

async function manifestOf(
  client: RegistryClient,
  reference: RemoteReference,
  name: string,
  expected: Digest | undefined,
): Promise<Fetched> {
  const answer = await client.get(`/v2/${reference.repository}/manifests/${name}`, { accept })
  const bytes = await boundedBytes(answer, mostManifestBytes)
  const digest = hashed(bytes, expected)
  return { digest, body: jsonObject(bytes.toString('utf8'), 'the manifest') }
}

export function hashed(bytes: Buffer, expected: Digest | undefined): Digest {
  const algorithm = expected === undefined ? 'sha256' : digestAlgorithm(expected)
  const found = `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}` as Digest
  if (expected !== undefined && found !== expected)
    throw new LazaretError('UNREADABLE', `asked for ${shortDigest(expected)}, got ${shortDigest(found)}`)
  return found
}

function childFor(children: Wire[], platform: Platform): Digest | undefined {
  const fits = children.filter(({ platform: its }) => its?.os === platform.os && its.architecture === platform.architecture)
  const best = fits.find(({ platform: its }) => platform.variant === undefined || its?.variant === platform.variant) ?? fits[0]
  return parseDigest(best?.digest)
}

async function imageOf(
  client: RegistryClient,
  reference: RemoteReference,
  manifest: Fetched,
  platform?: Platform,
): Promise<RemoteManifest> {
  const config = descriptor(manifest.body['config'], 'config')
  const layers = manifest.body['layers']
  if (!Array.isArray(layers) || layers.length > mostLayers)
    throw new LazaretError('UNREADABLE', 'the manifest has no list of layers, or too long a one')
  const answer = await client.get(`/v2/${reference.repository}/blobs/${config.digest}`)
  const configBytes = await boundedBytes(answer, mostConfigBytes)
  hashed(configBytes, config.digest)
  return {
    digest: manifest.digest,
    ...(platform === undefined ? {} : { platform }),
    annotations: textsOf(manifest.body['annotations']),
    configBytes,
    layers: layers.map((layer, at) => {
      const known = descriptor(layer, `layers[${at}]`)
      return { ...known, open: () => Readable.from(verified(client, reference, known)) }
    }),
    referrers: () => referrersOf(client, reference.repository, manifest.digest),
    artifact: ({ digest }, mostBytes) => artifactBytes(client, reference.repository, digest, mostBytes),
  }
}

const mostAnnotations = 1000

function textsOf(value: unknown): Record<string, string> {
  if (typeof value !== 'object' || value === null) return {}
  const texts = Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string')
  return Object.fromEntries(texts.slice(0, mostAnnotations))
}

export function descriptor(value: unknown, where: string): { digest: Digest; mediaType: string; sizeBytes: number } {
  const { digest: text, mediaType, size } = (value ?? {}) as Wire
  const digest = parseDigest(text)
  if (digest === undefined || typeof mediaType !== 'string' || typeof size !== 'number')
    throw new LazaretError('UNREADABLE', `${where} of the manifest is no descriptor`)
  return { digest, mediaType, sizeBytes: size }
}

export async function* verified(
  client: RegistryClient,
  reference: RemoteReference,
  layer: { digest: Digest; sizeBytes: number },
): AsyncGenerator<Buffer> {
  const answer = await client.get(`/v2/${reference.repository}/blobs/${layer.digest}`)
  const hash = createHash(digestAlgorithm(layer.digest))
  let size = 0
  for await (const chunk of bodyOf(answer)) {
    size += chunk.length
    if (size > layer.sizeBytes) break
    hash.update(chunk)
    yield Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
  }
  if (size !== layer.sizeBytes || hash.digest('hex') !== digestHex(layer.digest)) {
    throw new LazaretError('UNREADABLE', `the bytes of layer ${shortDigest(layer.digest)} are not what its digest says`)
  }
}
