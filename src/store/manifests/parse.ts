import { createHash } from 'node:crypto'
import { LazaretError } from '../../kit/errors.ts'
import { digestOf, parseDigest, type DigestAlgorithm } from '../../model/digest.ts'
import { mediaTypes, type Descriptor, type Manifest, type Platform } from '../../model/manifest.ts'

/** OCI distribution-spec, "Pushing manifests": registries accept at least this; more is refused with 413. */
export const mostManifestBytes = 4 * 1024 * 1024

const manifestTypes: ReadonlySet<string> = new Set([mediaTypes.ociManifest, mediaTypes.dockerManifest])
const indexTypes: ReadonlySet<string> = new Set([mediaTypes.ociIndex, mediaTypes.dockerList])

export function isManifestMediaType(mediaType: string): boolean {
  return manifestTypes.has(mediaType) || indexTypes.has(mediaType)
}

/** A manifest as its bytes say it; what kind it is may also depend on its config's bytes (`kind.ts`). */
export type ParsedManifest = Omit<Manifest, 'kind'> & { isIndex: boolean }

/**
 * In: the bytes of a manifest, the media type that the client declared, the algorithm of its digest.
 * Errors: MANIFEST_INVALID, which says where; the media type of the body, where it has one, must be the declared one.
 * OCI image-spec manifest.md and image-index.md, Docker "Image Manifest V 2, Schema 2".
 */
export function parseManifest(bytes: Buffer, declaredType: string, algorithm: DigestAlgorithm = 'sha256'): ParsedManifest {
  if (bytes.length > mostManifestBytes) {
    throw new LazaretError('MANIFEST_INVALID', `a manifest may have ${mostManifestBytes} bytes at most`, { status: 413 })
  }
  const body = parseObject(bytes)
  const mediaType = mediaTypeOf(body, declaredType)
  const isIndex = indexTypes.has(mediaType)
  refuseMixture(body, isIndex)
  const subject = body['subject'] === undefined ? undefined : descriptor(body['subject'], 'subject')
  const config = isIndex ? undefined : descriptor(body['config'], 'config')
  const artifactType = optionalText(body['artifactType'], 'artifactType') ?? config?.mediaType
  return {
    isIndex,
    digest: digestOf(algorithm, createHash(algorithm).update(bytes).digest('hex')),
    mediaType,
    sizeBytes: bytes.length,
    ...(config === undefined ? {} : { config }),
    layers: isIndex ? [] : descriptors(body['layers'], 'layers'),
    children: isIndex ? descriptors(body['manifests'], 'manifests') : [],
    ...(subject === undefined ? {} : { subject }),
    ...(artifactType === undefined ? {} : { artifactType }),
    annotations: annotations(body['annotations'], 'annotations') ?? {},
  }
}

function parseObject(bytes: Buffer): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    throw new LazaretError('MANIFEST_INVALID', `the manifest is not JSON: ${(cause as Error).message.slice(0, 120)}`, { cause })
  }
  if (!isObject(value)) throw invalid('the manifest', 'is not an object')
  if (value['schemaVersion'] !== 2) throw invalid('schemaVersion', 'is not 2 (schema 1 is not supported)')
  return value
}

function mediaTypeOf(body: Record<string, unknown>, declaredType: string): string {
  const inBody = optionalText(body['mediaType'], 'mediaType')
  const declared = declaredType.split(';', 1)[0]?.trim().toLowerCase() ?? ''
  if (inBody !== undefined && declared !== '' && inBody !== declared) {
    throw invalid('mediaType', `is ${inBody.slice(0, 100)}, but Content-Type says ${declared.slice(0, 100)}`)
  }
  const mediaType = inBody ?? declared
  if (!isManifestMediaType(mediaType)) throw invalid('mediaType', `${JSON.stringify(mediaType.slice(0, 100))} is no manifest that we know`)
  return mediaType
}

/** One digest must never be read as a manifest by one client and as an index by another (GHSA-qq97-vm5h-rrhg). */
function refuseMixture(body: Record<string, unknown>, isIndex: boolean): void {
  const stranger = isIndex ? ['config', 'layers', 'fsLayers'].find((key) => key in body) : ['manifests', 'fsLayers'].find((key) => key in body)
  if (stranger !== undefined) throw invalid(stranger, `does not belong in ${isIndex ? 'an index' : 'a manifest'}`)
}

function descriptors(value: unknown, where: string): Descriptor[] {
  if (!Array.isArray(value)) throw invalid(where, 'is not a list')
  return value.map((entry, at) => descriptor(entry, `${where}[${at}]`))
}

function descriptor(value: unknown, where: string): Descriptor {
  if (!isObject(value)) throw invalid(where, 'is not a descriptor')
  const mediaType = value['mediaType']
  if (typeof mediaType !== 'string' || mediaType === '' || mediaType.length > 255) throw invalid(`${where}.mediaType`, 'is not a media type')
  const digest = parseDigest(value['digest'])
  if (digest === undefined) throw invalid(`${where}.digest`, 'is not a sha256 or sha512 digest')
  const size = value['size']
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) throw invalid(`${where}.size`, 'is not a size in bytes')
  const artifactType = optionalText(value['artifactType'], `${where}.artifactType`)
  const notes = annotations(value['annotations'], `${where}.annotations`)
  const platform = platformOf(value['platform'], `${where}.platform`)
  return {
    mediaType,
    digest,
    sizeBytes: size,
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(notes === undefined ? {} : { annotations: notes }),
    ...(platform === undefined ? {} : { platform }),
  }
}

function platformOf(value: unknown, where: string): Platform | undefined {
  if (value === undefined || value === null) return undefined
  if (!isObject(value)) throw invalid(where, 'is not a platform')
  const variant = optionalText(value['variant'], `${where}.variant`)
  return {
    os: optionalText(value['os'], `${where}.os`) ?? '',
    architecture: optionalText(value['architecture'], `${where}.architecture`) ?? '',
    ...(variant === undefined || variant === '' ? {} : { variant }),
  }
}

function annotations(value: unknown, where: string): Record<string, string> | undefined {
  if (value === undefined || value === null) return undefined
  if (!isObject(value)) throw invalid(where, 'is not an object')
  const entries = Object.entries(value)
  const wrong = entries.find(([, text]) => typeof text !== 'string')
  if (wrong !== undefined) throw invalid(`${where}.${wrong[0].slice(0, 60)}`, 'is not a text')
  return Object.fromEntries(entries as [string, string][])
}

function optionalText(value: unknown, where: string): string | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'string') throw invalid(where, 'is not a text')
  return value
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function invalid(where: string, what: string): LazaretError {
  return new LazaretError('MANIFEST_INVALID', `${where} ${what}`, { detail: { where } })
}

