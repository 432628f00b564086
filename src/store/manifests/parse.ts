import { createHash } from 'node:crypto'
import { LazaretError, messageOf } from '../../kit/errors.ts'
import { digestAlgorithm, digestOf, parseDigest, type Digest, type DigestAlgorithm } from '../../model/digest.ts'
import { mediaTypes, type Descriptor, type Manifest, type Platform } from '../../model/manifest.ts'
import { folded, memberKeys } from './keys.ts'

/** OCI distribution-spec, "Pushing manifests": registries accept at least this; more is refused with 413. */
export const mostManifestBytes = 4 * 1024 * 1024

/** Objects and lists in each other. */
const deepest = 100
/** RFC 6838 §4.2 gives a media type 127 characters on each side of its slash. */
const mostTextCharacters = 255

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
  requireSpelling(body, manifestKeys, '')
  const subject = body['subject'] === undefined ? undefined : descriptor(body['subject'], 'subject')
  const config = isIndex ? undefined : descriptor(body['config'], 'config')
  const artifactType = optionalText(body['artifactType'], 'artifactType') || config?.mediaType
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
  let text: string
  let value: unknown
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    value = JSON.parse(text)
  } catch (cause) {
    throw new LazaretError('MANIFEST_INVALID', `the manifest is not JSON: ${messageOf(cause).slice(0, 120)}`, { cause })
  }
  if (!isObject(value)) throw invalid('the manifest', 'is not an object')
  refuseRepeats(text)
  if (value['schemaVersion'] !== 2) throw invalid('schemaVersion', 'is not 2 (schema 1 is not supported)')
  return value
}

/** RFC 9110, 8.3.1. */
const mediaTypeForm = /^[\w!#$%&'*+.^`|~-]+\/[\w!#$%&'*+.^`|~-]+$/

function mediaTypeOf(body: Record<string, unknown>, declaredType: string): string {
  const inBody = optionalText(body['mediaType'], 'mediaType')
  const declared = declaredType.split(';', 1)[0]?.trim().toLowerCase() ?? ''
  if (declaredType !== '' && !mediaTypeForm.test(declared)) throw invalid('mediaType', 'cannot be told: Content-Type is no media type')
  if (inBody !== undefined && declared !== '' && inBody !== declared) {
    throw invalid('mediaType', `is ${inBody.slice(0, 100)}, but Content-Type says ${declared.slice(0, 100)}`)
  }
  const mediaType = inBody ?? declared
  if (!isManifestMediaType(mediaType)) throw invalid('mediaType', `${JSON.stringify(mediaType.slice(0, 100))} is no manifest that we know`)
  return mediaType
}

/** One digest must never be read as a manifest by one client and as an index by another (GHSA-qq97-vm5h-rrhg). */
function refuseMixture(body: Record<string, unknown>, isIndex: boolean): void {
  const stranger = isIndex
    ? ['config', 'layers', 'fsLayers'].find((key) => key in body)
    : ['manifests', 'fsLayers'].find((key) => key in body)
  if (stranger !== undefined) throw invalid(stranger, `does not belong in ${isIndex ? 'an index' : 'a manifest'}`)
}

/** Which of two keys counts is up to each client, and how deep it reads. */
function refuseRepeats(text: string): void {
  const seen = new Set<string>()
  for (const { key, object, depth } of memberKeys(text)) {
    if (depth > deepest) throw invalid('the manifest', `is nested deeper than ${deepest}`)
    const place = `${object} ${key}`
    if (seen.has(place)) throw invalid(key.slice(0, 60), 'stands twice in one object')
    seen.add(place)
  }
}

const manifestKeys = spellings(
  'schemaVersion',
  'mediaType',
  'artifactType',
  'config',
  'layers',
  'manifests',
  'subject',
  'annotations',
  'fsLayers',
)
const descriptorKeys = spellings('mediaType', 'artifactType', 'digest', 'size', 'urls', 'annotations', 'data', 'platform')
const platformKeys = spellings('os', 'architecture', 'variant', 'os.version', 'os.features')

function spellings(...keys: string[]): ReadonlyMap<string, string> {
  return new Map(keys.map((key) => [folded(key), key]))
}

/** A key that only clients which ignore case would read: they would see another manifest than we. */
function requireSpelling(value: Record<string, unknown>, known: ReadonlyMap<string, string>, where: string): void {
  for (const key of Object.keys(value)) {
    const meant = known.get(folded(key))
    if (meant !== undefined && meant !== key) throw invalid(`${where}${key}`, `is not spelt ${meant}`)
  }
}

function descriptors(value: unknown, where: string): Descriptor[] {
  if (!Array.isArray(value)) throw invalid(where, 'is not a list')
  return value.map((entry, at) => descriptor(entry, `${where}[${at}]`))
}

function descriptor(value: unknown, where: string): Descriptor {
  if (!isObject(value)) throw invalid(where, 'is not a descriptor')
  requireSpelling(value, descriptorKeys, `${where}.`)
  const mediaType = optionalText(value['mediaType'], `${where}.mediaType`) ?? ''
  if (mediaType === '') throw invalid(`${where}.mediaType`, 'is not a media type')
  const digest = parseDigest(value['digest'])
  if (digest === undefined) throw invalid(`${where}.digest`, 'is not a sha256 or sha512 digest')
  const size = value['size']
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) throw invalid(`${where}.size`, 'is not a size in bytes')
  if (value['data'] !== undefined && value['data'] !== null) requireData(value['data'], digest, size, `${where}.data`)
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

/** OCI image-spec, descriptor.md, "data": clients may take these bytes for the blob, so they must be it. */
function requireData(value: unknown, digest: Digest, sizeBytes: number, where: string): void {
  const bytes = typeof value === 'string' ? Buffer.from(value, 'base64') : undefined
  if (bytes === undefined || bytes.length !== sizeBytes) throw invalid(where, 'is not the bytes of the descriptor in base64')
  const algorithm = digestAlgorithm(digest)
  if (digestOf(algorithm, createHash(algorithm).update(bytes).digest('hex')) !== digest) throw invalid(where, 'is not what the digest says')
}

function platformOf(value: unknown, where: string): Platform | undefined {
  if (value === undefined || value === null) return undefined
  if (!isObject(value)) throw invalid(where, 'is not a platform')
  requireSpelling(value, platformKeys, `${where}.`)
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
  if (value.length > mostTextCharacters) throw invalid(where, `is longer than ${mostTextCharacters} characters`)
  if (/\p{Cc}/u.test(value)) throw invalid(where, 'has control characters')
  return value
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function invalid(where: string, what: string): LazaretError {
  return new LazaretError('MANIFEST_INVALID', `${where.replaceAll(/\p{Cc}/gu, '?')} ${what}`, { detail: { where } })
}
