/*
 *  TARGET/
 *    backup.json                  what belongs to the backup; exchanged whole, and last: without it there is none
 *    20261124T081500123Z/         of that backup alone
 *      records.sqlite             the records, whatever database they come from
 *      keys/token.key  admin-password  advisories/current  advisories/000007.sqlite
 *    blobs/sha256/4c/4cf1…        by digest, shared with the backup before, of which only new ones are copied
 *
 *  An archive holds the same, in this order but for backup.json, which is its last entry.
 */
import { createHash } from 'node:crypto'
import { LazaretError } from '../../kit/errors.ts'
import { digestAlgorithm, digestHex, parseDigest, type Digest } from '../../model/digest.ts'

export const manifestName = 'backup.json'
export const recordsName = 'records.sqlite'
export const mostManifestBytes = 16 * 1024 * 1024
const form = 1

/** What a backup holds. */
export interface BackupManifest {
  form: 1
  /** Of Lazaret, that made it. */
  version: string
  /** The last step of the records' schema. */
  schema: string
  /** ISO 8601. */
  takenAt: string
  from: 'sqlite' | 'postgres'
  /** The folder of all that is not a blob. */
  set: string
  counts: { repositories: number; manifests: number; tags: number; users: number; blobs: number; blobBytes: number }
  /** Below `set`; a blob's name is its hash. */
  files: { name: string; sizeBytes: number; sha256: string }[]
  /** Blobs that the records name and whose bytes were not their digest's: they are not here, and are held back after a restore. */
  damaged: { digest: string; problem: string }[]
}

const setForm = /^\d{8}T\d{9}Z$/
const fileForm = /^(?:records\.sqlite|admin-password|keys\/[a-z0-9][a-z0-9.-]{0,99}|advisories\/(?:current|\d{6,12}\.sqlite))$/
const blobForm = /^blobs\/(sha256|sha512)\/([0-9a-f]{2})\/([0-9a-f]{64,128})$/

export function setName(at: number): string {
  return new Date(at).toISOString().replaceAll(/[-:.]/g, '')
}

export function isSetName(name: string): boolean {
  return setForm.test(name)
}

/** A target that ends so is an archive, any other a folder. */
export function isArchive(target: string): boolean {
  return /\.tar(?:\.zst)?$/.test(target)
}

/** Out: whether a backup may hold a file of that name below its set. */
export function isFileName(name: string): boolean {
  return fileForm.test(name)
}

export function blobPath(digest: Digest): string {
  return `blobs/${digestAlgorithm(digest)}/${digestHex(digest).slice(0, 2)}/${digestHex(digest)}`
}

/** Out: the digest, undefined where the path is not one of a blob. */
export function digestAt(path: string): Digest | undefined {
  const [, algorithm, folder = '', hex = ''] = blobForm.exec(path) ?? []
  return hex.startsWith(folder) ? parseDigest(`${algorithm}:${hex}`) : undefined
}

/** The manifest and its own hash, as a file. */
export function manifestText(manifest: BackupManifest): string {
  return `${JSON.stringify({ manifest, sha256: hashOf(manifest) }, null, 2)}\n`
}

/** Throws UNREADABLE where the text is no manifest, was changed, or is of a later form. */
export function parseManifest(text: string): BackupManifest {
  const { manifest, sha256 } = parsed(text)
  if (!isManifest(manifest)) throw new LazaretError('UNREADABLE', `${manifestName} is damaged: it does not say what a backup must`)
  if (sha256 !== hashOf(manifest)) throw new LazaretError('UNREADABLE', `${manifestName} is damaged: its own hash does not fit`)
  return manifest
}

function parsed(text: string): { manifest?: unknown; sha256?: unknown } {
  try {
    const value = JSON.parse(text) as { manifest?: { form?: unknown } } | null
    const found = value?.manifest?.form
    if (typeof found === 'number' && found > form)
      throw new LazaretError('UNREADABLE', `the backup is of a later form (${found}): use the version of Lazaret that made it`)
    return value ?? {}
  } catch (cause) {
    if (cause instanceof LazaretError) throw cause
    throw new LazaretError('UNREADABLE', `${manifestName} is damaged: it is no JSON`, { cause })
  }
}

function isManifest(value: unknown): value is BackupManifest {
  const given = value as { [name in keyof BackupManifest]?: unknown } | null
  return (
    typeof given === 'object' &&
    given !== null &&
    given.form === form &&
    [given.version, given.schema, given.takenAt, given.set].every((text) => typeof text === 'string') &&
    isSetName(String(given.set)) &&
    typeof given.counts === 'object' &&
    given.counts !== null &&
    Object.values(given.counts).every(Number.isSafeInteger) &&
    Array.isArray(given.files) &&
    given.files.every(isFile) &&
    Array.isArray(given.damaged) &&
    given.damaged.every((blob: unknown) => parseDigest((blob as { digest?: unknown } | null)?.digest) !== undefined)
  )
}

function isFile(value: unknown): boolean {
  const { name, sizeBytes, sha256 } = (value ?? {}) as { name?: unknown; sizeBytes?: unknown; sha256?: unknown }
  return isFileName(String(name)) && Number.isSafeInteger(sizeBytes) && /^[0-9a-f]{64}$/.test(String(sha256))
}

function hashOf(manifest: BackupManifest): string {
  return createHash('sha256').update(JSON.stringify(manifest)).digest('hex')
}
