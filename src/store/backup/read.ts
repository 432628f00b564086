// What verifying and restoring have in common: every byte is read once and held against its name; where it goes is the sink's matter.
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { LazaretError, messageOf } from '../../kit/errors.ts'
import { collect } from '../../kit/streams/collect.ts'
import { verified } from '../../kit/streams/verify.ts'
import type { Digest } from '../../model/digest.ts'
import { stepAfter, thisStep } from '../records/migrate.ts'
import { countsIn } from './backup.ts'
import { namedBlobs } from './blobs.ts'
import { entriesOf, type BackupEntry } from './entries.ts'
import { digestAt, manifestName, mostManifestBytes, parseManifest, recordsName, type BackupManifest } from './form.ts'
import { writeWhole } from './target.ts'

export interface ReadingParts {
  /** Files besides blobs are put here, each as it came. */
  folder: string
  /** Whether those are all kept, or the records alone. */
  keepsFiles: boolean
  /** Takes a blob's bytes, which end in an error where they are not its digest's; reads them to their end. */
  takeBlob: (digest: Digest, bytes: AsyncIterable<Buffer>) => Promise<void>
  onProgress?: (progress: { blobs: number; bytes: number }) => void
}

export interface ReadBackup {
  manifest?: BackupManifest
  /** What is wrong, a line each, that names the file or the blob. */
  problems: string[]
}

const recordsProblems = 20

/** In: a folder or an archive. Out: what it says that it is, and everything that is wrong with it. Throws what is no fault of the backup. */
export async function readBackup(source: string, parts: ReadingParts): Promise<ReadBackup> {
  const seen: Seen = { files: new Map(), blobs: new Set(), damaged: new Set(), problems: [], bytes: 0 }
  try {
    for await (const entry of entriesOf(source)) await takeEntry(entry, parts, seen)
  } catch (error) {
    if (!(error instanceof LazaretError) || error.code !== 'UNREADABLE') throw error
    seen.problems.push(error.message)
  }
  const { manifest, problems } = seen
  if (manifest === undefined) {
    if (problems.length === 0) problems.push(`there is no ${manifestName}: this is no backup, or one that did not end`)
    return { problems }
  }
  problems.push(...fileProblems(manifest, seen.files))
  if (problems.every((problem) => !problem.includes(recordsName)))
    problems.push(...recordsProblemsIn(join(parts.folder, recordsName), manifest, seen))
  return { manifest, problems }
}

interface Seen {
  manifest?: BackupManifest
  /** By name, below whichever set. */
  files: Map<string, { path: string; sizeBytes: number; sha256: string }>
  blobs: Set<string>
  /** Of other bytes than their digest's, and told so already. */
  damaged: Set<string>
  problems: string[]
  bytes: number
}

async function takeEntry(entry: BackupEntry, parts: ReadingParts, seen: Seen): Promise<void> {
  const digest = digestAt(entry.path)
  if (digest !== undefined) return takeBlob(entry, digest, parts, seen)
  if (entry.path === manifestName) {
    seen.manifest = parseManifest((await collect(entry.body, mostManifestBytes, manifestName)).toString('utf8'))
    return
  }
  const name = entry.path.slice(entry.path.indexOf('/') + 1)
  const hash = createHash('sha256')
  const bytes = hashed(entry.body, hash)
  if (parts.keepsFiles || name === recordsName) await writeWhole(join(parts.folder, name), bytes)
  else for await (const _chunk of bytes);
  seen.files.set(name, { path: entry.path, sizeBytes: entry.sizeBytes, sha256: hash.digest('hex') })
}

async function takeBlob(entry: BackupEntry, digest: Digest, parts: ReadingParts, seen: Seen): Promise<void> {
  try {
    await parts.takeBlob(digest, verified(entry.body, digest, entry.sizeBytes))
    seen.blobs.add(digest)
  } catch (error) {
    if (!(error instanceof LazaretError) || error.code !== 'UNREADABLE') throw error
    seen.damaged.add(digest)
    seen.problems.push(`${entry.path}: ${messageOf(error)}`)
  }
  seen.bytes += entry.sizeBytes
  parts.onProgress?.({ blobs: seen.blobs.size, bytes: seen.bytes })
}

async function* hashed(body: AsyncIterable<Buffer>, hash: { update: (chunk: Buffer) => unknown }): AsyncGenerator<Buffer> {
  for await (const chunk of body) {
    hash.update(chunk)
    yield chunk
  }
}

function fileProblems(manifest: BackupManifest, files: Seen['files']): string[] {
  const said = manifest.files.flatMap(({ name, sizeBytes, sha256 }) => {
    const path = `${manifest.set}/${name}`
    const found = files.get(name)
    if (found?.path !== path) return [`${path} is missing`]
    if (found.sizeBytes !== sizeBytes) return [`${path} has ${found.sizeBytes} bytes, where ${sizeBytes} were written`]
    return found.sha256 === sha256 ? [] : [`${path} was changed: its bytes are not those that were written`]
  })
  const names = new Set(manifest.files.map(({ name }) => name))
  if (!names.has(recordsName)) said.push(`${manifestName} names no ${recordsName}`)
  for (const [name, { path }] of files) if (!names.has(name)) said.push(`${path} is not among the files that ${manifestName} names`)
  return said
}

/** In: records whose bytes are those that were written. */
function recordsProblemsIn(path: string, manifest: BackupManifest, seen: Seen): string[] {
  if (manifest.schema !== thisStep() && stepAfter(manifest.schema) === undefined)
    return [`the records are of a newer version of Lazaret (${manifest.schema}, made by ${manifest.version}): use that version`]
  try {
    return [...soundness(path), ...missingBlobs(path, manifest, seen), ...countProblems(path, manifest)]
  } catch (error) {
    return [`${manifest.set}/${recordsName} can't be read: ${messageOf(error)}`]
  }
}

function soundness(path: string): string[] {
  const database = new DatabaseSync(path, { readOnly: true })
  try {
    const integrity = database
      .prepare(`pragma integrity_check(${recordsProblems})`)
      .all()
      .map((row) => String(row['integrity_check']))
    const keys = database.prepare('pragma foreign_key_check').all().slice(0, recordsProblems)
    return [
      ...integrity.filter((line) => line !== 'ok').map((line) => `${recordsName} is damaged: ${line}`),
      ...keys.map((row) => `${recordsName}: a row of ${row['table']} refers to one of ${row['parent']} that is not there`),
    ]
  } finally {
    database.close()
  }
}

function missingBlobs(path: string, manifest: BackupManifest, { blobs, damaged }: Seen): string[] {
  const known = new Set(manifest.damaged.map(({ digest }) => digest))
  const database = new DatabaseSync(path, { readOnly: true })
  try {
    const missing: string[] = []
    for (const blob of namedBlobs(database)) {
      const isExpected = !blobs.has(blob.digest) && !damaged.has(blob.digest) && !(known.has(blob.digest) && blob.isDamaged)
      if (isExpected) missing.push(`blob ${blob.digest} is missing, which the records name`)
    }
    return missing
  } finally {
    database.close()
  }
}

function countProblems(path: string, manifest: BackupManifest): string[] {
  const found = countsIn(path)
  return Object.entries(manifest.counts).flatMap(([name, count]) => {
    const there = found[name as keyof typeof found]
    return there === count ? [] : [`the records hold ${there} ${name}, where ${manifestName} counts ${count}`]
  })
}
