import { Readable } from 'node:stream'
import { LazaretError } from '../../kit/errors.ts'
import { collect } from '../../kit/streams/collect.ts'
import { verified } from '../../kit/streams/verify.ts'
import { digestAlgorithm, digestHex, digestOf } from '../../model/digest.ts'
import { mediaTypes } from '../../model/manifest.ts'
import { maxLayers, readConfig } from './config.ts'
import { maxJsonBytes, readSmall } from './files.ts'
import type { FileSet } from './files.ts'
import type { LocalLayer, LocalManifest } from './image.ts'
import { asArray, asObject, parseJson } from './json.ts'
import { contentOf, descriptorOf, isAttestation, namesOf, textsOf } from './descriptors.ts'
import type { LocalDescriptor } from './descriptors.ts'

const maxDepth = 8
const maxManifests = 1000

/** Where in the tree of indexes we are, and what came to light so far. */
interface Reading {
  files: FileSet
  problems: string[]
  manifests: LocalManifest[]
  seen: Set<string>
}

/**
 * The manifests of an OCI image layout; indexes are followed, and each manifest is met once. One that the layout holds
 * only in part (`docker save` leaves other platforms out) is a problem while some image is there, else an error.
 * In: its files, and the list that problems go to. Out: manifests in the order of the index. Throws UNREADABLE.
 * OCI image-spec, image-layout.md and image-index.md.
 */
export async function readOciLayout(files: FileSet, problems: string[]): Promise<LocalManifest[]> {
  const reading: Reading = { files, problems, manifests: [], seen: new Set() }
  const index = await files.find('index.json')
  if (index === undefined) throw new LazaretError('UNREADABLE', 'the layout has no index.json')
  await readIndex(reading, asObject(parseJson(await readSmall(index, 'index.json'), 'index.json'), 'index.json'), [], 0)
  if (!reading.manifests.some(({ role }) => role !== 'attestation')) {
    throw new LazaretError('UNREADABLE', ['the layout holds no whole image', ...problems.slice(0, 3)].join('; '))
  }
  return reading.manifests
}

async function readIndex(reading: Reading, index: Record<string, unknown>, names: string[], depth: number): Promise<void> {
  if (depth > maxDepth) throw new LazaretError('UNREADABLE', `indexes are nested more than ${maxDepth} deep`)
  for (const item of asArray(index['manifests'], maxManifests, 'manifests of an index')) {
    const descriptor = descriptorOf(item)
    if (reading.seen.has(descriptor.digest)) continue
    reading.seen.add(descriptor.digest)
    if (reading.seen.size > maxManifests) throw new LazaretError('UNREADABLE', `the layout lists more than ${maxManifests} manifests`)
    await readChild(reading, descriptor, namesOf(descriptor, names), depth)
  }
}

async function readChild(reading: Reading, descriptor: LocalDescriptor, names: string[], depth: number): Promise<void> {
  const bytes = await readBlob(reading, descriptor)
  if (bytes === undefined) return
  const json = asObject(parseJson(bytes, descriptor.digest), descriptor.digest)
  if (contentOf(json, descriptor.digest) === 'index') return await readIndex(reading, json, names, depth + 1)
  const manifest = await readManifest(reading, descriptor, json, names)
  if (manifest !== undefined) reading.manifests.push(manifest)
}

async function readManifest(
  reading: Reading,
  descriptor: LocalDescriptor,
  json: Record<string, unknown>,
  names: string[],
): Promise<LocalManifest | undefined> {
  const config = descriptorOf(json['config'])
  const layers = asArray(json['layers'], maxLayers, `layers of ${descriptor.digest}`).map(descriptorOf)
  const configBytes = await readBlob(reading, config)
  const opened = await Promise.all(layers.map((layer) => openLayer(reading, layer)))
  if (configBytes === undefined || opened.some((layer) => layer === undefined)) return undefined
  const whole = opened.filter((layer) => layer !== undefined)
  const role = roleOf(config, layers, descriptor)
  const { diffIds, platform } =
    role === 'image' ? readConfig(configBytes, layers.length, reading.problems) : { diffIds: [], platform: undefined }
  const stated = descriptor.platform ?? platform
  return {
    role,
    digest: descriptor.digest,
    ...(stated !== undefined && { platform: stated }),
    names,
    annotations: textsOf(json['annotations']),
    configBytes,
    layers: whole.map((layer, at) => ({ ...layer, ...(diffIds[at] !== undefined && { diffId: diffIds[at] }) })),
  }
}

/** By content: whatever an index claims, what has an image config and layers to unpack is an image. */
function roleOf(config: LocalDescriptor, layers: LocalDescriptor[], descriptor: LocalDescriptor): LocalManifest['role'] {
  if (isAttestation(descriptor, layers)) return 'attestation'
  return config.mediaType === mediaTypes.ociConfig || config.mediaType === mediaTypes.dockerConfig || config.mediaType === ''
    ? 'image'
    : 'artifact'
}

/** Out: the bytes, with their digest and size checked; undefined, with a problem, where the layout lacks them. */
async function readBlob(reading: Reading, descriptor: LocalDescriptor): Promise<Buffer | undefined> {
  const file = await findBlob(reading, descriptor)
  if (file === undefined) return undefined
  if (descriptor.sizeBytes > maxJsonBytes)
    throw new LazaretError('UNREADABLE', `${descriptor.digest} has more than the ${maxJsonBytes} bytes that are read`)
  return await collect(verified(file.open(), descriptor.digest, descriptor.sizeBytes), maxJsonBytes, descriptor.digest)
}

async function openLayer(reading: Reading, descriptor: LocalDescriptor): Promise<LocalLayer | undefined> {
  const file = await findBlob(reading, descriptor)
  if (file === undefined) return undefined
  const { digest, mediaType, sizeBytes } = descriptor
  const open = () => Readable.from(verified(file.open(), digest, sizeBytes), { objectMode: false })
  const algorithm = digestAlgorithm(digest)
  return {
    digest,
    mediaType,
    sizeBytes,
    ...(file.path !== undefined && { path: file.path }),
    open,
    ...(file.sizeBytes === sizeBytes && { storedDigest: async () => digestOf(algorithm, await file.hash(algorithm)) }),
  }
}

async function findBlob({ files, problems }: Reading, { digest, platform }: LocalDescriptor) {
  const file = await files.find(`blobs/${digestAlgorithm(digest)}/${digestHex(digest)}`)
  if (file === undefined)
    problems.push(`the layout does not hold ${digest}${platform === undefined ? '' : ` (${platform.os}/${platform.architecture})`}`)
  return file
}
