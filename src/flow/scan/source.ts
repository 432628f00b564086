import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { Readable } from 'node:stream'
import { openImage } from '../../inventory/archive.ts'
import type { LocalManifest } from '../../inventory/archive/image.ts'
import { LazaretError } from '../../kit/errors.ts'
import type { Outgoing } from '../../kit/outgoing/outgoing.ts'
import type { Credentials } from '../../mirror/authorization.ts'
import type { RemoteManifest } from '../../mirror/remote.ts'
import { digestOf, type Digest } from '../../model/digest.ts'
import type { LayerFacts } from '../../model/layer.ts'
import type { Platform } from '../../model/manifest.ts'

export interface SourceOptions {
  platform: Platform
  /** Whether the platform was asked for, rather than this machine's own. */
  platformAsked?: boolean
  /** To read the SBOM that is attached to a remote image, instead of its layers. */
  attachedSbom?: boolean
  offline: boolean
  /** The way to other registries, made where one is asked. */
  outgoing: () => Promise<Outgoing>
  credentialsFor: (registry: string) => Promise<Credentials | undefined>
}

export interface SourceLayer {
  digest?: Digest
  /** What the config says of the tar. */
  diffId?: Digest
  /** Where it lies, if it is a file by itself. */
  path?: string
  /** A registry was asked for this digest: nothing but its bytes ever comes of `open`, today or tomorrow. */
  isAsked?: true
  sizeBytes?: number
  open(): Readable
  /** Which digest the stored bytes have, whatever they are called; absent where they can not be asked for it. */
  storedDigest?: () => Promise<Digest>
  /** Where no bytes are to be walked: what an SBOM says. */
  facts?: () => Promise<LayerFacts>
}

/** One image, wherever it lies, opened for reading. `close` it at the end. */
export interface Source {
  /** Absent where nothing gives it one: a folder, an SBOM. */
  digest?: Digest
  /** Of the manifest. */
  annotations?: Record<string, string>
  configBytes: Buffer
  layers: SourceLayer[]
  /** Grows while layers are read. */
  problems: () => string[]
  close(): Promise<void>
}

/**
 * In: a path, `-`, or a reference to a registry. Out: the image. Errors: NOT_FOUND (also where no image of an index is for the
 * platform that was asked for), UNREADABLE, and those of the registry.
 */
export async function openSource(target: string, options: SourceOptions): Promise<Source> {
  if (target === '-' || existsSync(target)) {
    if (options.attachedSbom === true) throw new LazaretError('USAGE', `--attached-sbom is for images of a registry, and ${target} is here`)
    return await localSource(target, options)
  }
  if (options.offline) throw new LazaretError('NOT_FOUND', `there is no ${target} here, and this is offline (LAZARET_OFFLINE)`)
  const { openRemote } = await import('../../mirror/remote.ts')
  const remote = await openRemote(target, options.credentialsFor, options.platform, await options.outgoing())
  const layers = remote.layers.map((layer): SourceLayer => ({ ...layer, isAsked: true }))
  const image = { ...remote, layers, problems: () => [], close: async () => undefined }
  return options.attachedSbom === true ? { ...image, layers: [await attachedSbom(remote, target)], configBytes: Buffer.from('{}') } : image
}

/** By which types SBOMs are attached; what has findings by the same tool first. */
const sbomTypes = ['application/vnd.cyclonedx+json', 'application/spdx+json', 'text/spdx+json']

/** Who may push to the repository may attach one: it says what its author says, and nothing of it is checked against the layers. */
async function attachedSbom(remote: RemoteManifest, target: string): Promise<SourceLayer> {
  const referrers = await remote.referrers()
  const found = sbomTypes.flatMap((type) => referrers.filter(({ artifactType }) => artifactType === type))[0]
  if (found === undefined)
    throw new LazaretError(
      'NOT_FOUND',
      `no SBOM is attached to ${target}: it has ${referrers.length} referrers, none of ${sbomTypes.join(', ')}`,
    )
  const { mostSbomBytes, readSbom } = await import('./sboms.ts')
  const bytes = await remote.artifact(found, mostSbomBytes)
  return {
    digest: found.digest,
    sizeBytes: bytes.length,
    open: () => Readable.from([bytes]),
    facts: async () => readSbom(bytes, `the SBOM ${found.digest}`),
  }
}

async function localSource(path: string, options: SourceOptions): Promise<Source> {
  const image = await openImage(path)
  try {
    const chosen = chosenOf(image.manifests, path, image.problems, options)
    const { configBytes, layers, annotations = {} } = chosen
    const isImage = image.kind !== 'rootfs' && image.kind !== 'sbom'
    const digest = chosen.digest ?? (isImage ? digestOf('sha256', createHash('sha256').update(configBytes).digest('hex')) : undefined)
    return {
      ...(digest !== undefined && { digest }),
      annotations,
      configBytes,
      layers,
      problems: () => image.problems,
      close: () => image.close(),
    }
  } catch (error) {
    await image.close()
    throw error
  }
}

/** The image of the platform; where none was asked for, the first will do. */
function chosenOf(manifests: LocalManifest[], path: string, problems: string[], options: SourceOptions): LocalManifest {
  const { os, architecture, variant } = options.platform
  const images = manifests.filter(({ role }) => role === 'image')
  const fits = images.filter(({ platform }) => platform?.os === os && platform.architecture === architecture)
  const best = fits.find(({ platform }) => variant === undefined || platform?.variant === variant)
  const chosen = best ?? (options.platformAsked === true ? undefined : (images[0] ?? manifests[0]))
  if (chosen !== undefined) return chosen
  if (images.length === 0)
    throw new LazaretError('UNREADABLE', `${path} holds no image${problems[0] === undefined ? '' : `: ${problems[0]}`}`)
  // What says of no platform is for any.
  const anywhere = images.find(({ platform }) => platform === undefined)
  if (anywhere !== undefined) return anywhere
  const there = images.flatMap(({ platform }) => (platform === undefined ? [] : [`${platform.os}/${platform.architecture}`]))
  throw new LazaretError(
    'NOT_FOUND',
    `${path} has no image for ${os}/${architecture}; it has ${[...new Set(there)].slice(0, 20).join(', ')}`,
  )
}
