import { chmod, mkdir, readdir, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { LazaretError } from '../../kit/errors.ts'
import { synced } from '../../kit/synced.ts'
import type { Digest } from '../../model/digest.ts'
import { recordAudit, systemActor } from '../audit.ts'
import type { ObjectStore } from '../objects/objects.ts'
import { openRecords, restoringFolder, sqliteFile } from '../records/open.ts'
import type { Records } from '../records/records.ts'
import { openSqliteRecords } from '../records/sqlite.ts'
import { recordsName, type BackupManifest } from './form.ts'
import { readBackup } from './read.ts'
import { atTarget } from './target.ts'
import { importRecords, requireEmptyRecords } from './transfer.ts'

export interface RestoreParts {
  dataFolder: string
  /** `postgres://`, where the records go there. */
  database?: string
  objects: ObjectStore
  now: () => number
  onProgress?: (progress: { blobs: number; bytes: number }) => void
}

/** Left by the hold of the one that restores. */
const ours: ReadonlySet<string> = new Set(['hold', 'hold-journal', 'holder.json'])

/** Throws CONFLICT where the folder holds anything. */
export async function requireEmptyFolder(folder: string): Promise<void> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  const foreign = names.find((name) => !ours.has(name))
  if (foreign !== undefined)
    throw new LazaretError(
      'CONFLICT',
      `${folder} is not empty (${foreign.slice(0, 100)}): a restore takes an empty folder, and removes nothing`,
    )
}

/**
 * Puts a backup into an empty data folder, and an empty database where one is named, each byte checked on its way. Until all of it is
 * there and whole, nothing else begins on the folder. In: a folder or an archive. Out: what was restored.
 * Throws CONFLICT where the database is not empty, UNREADABLE where the backup is not whole, with what is wrong in `detail`.
 */
export async function restoreBackup(source: string, parts: RestoreParts): Promise<BackupManifest> {
  if (parts.database !== undefined) await withRecords(parts, requireEmptyRecords)
  const folder = restoringFolder(parts.dataFolder)
  await mkdir(folder, { mode: 0o700 })
  await synced(parts.dataFolder)
  const manifest = await taken(source, folder, parts)
  if (parts.database !== undefined) await withRecords(parts, (records) => importUpgraded(join(folder, recordsName), records))
  await putInPlace(folder, parts, manifest)
  await withRecords(parts, (records) => auditRestore(records, manifest, parts.now()))
  return manifest
}

async function taken(source: string, folder: string, parts: RestoreParts): Promise<BackupManifest> {
  const blobs = blobsBelow(folder, parts.objects)
  try {
    const { manifest, problems } = await readBackup(source, {
      folder,
      keepsFiles: true,
      takeBlob: blobs.take,
      ...(parts.onProgress === undefined ? {} : { onProgress: parts.onProgress }),
    })
    if (manifest !== undefined && problems.length === 0) return manifest
    throw new LazaretError('UNREADABLE', `the backup is not whole, and was not restored: ${problems.slice(0, 3).join('; ')}`, {
      detail: { problems },
    })
  } finally {
    blobs.close()
  }
}

/** Each blob goes where the records, which came before it, say that it is. One that they do not name is left out. */
function blobsBelow(folder: string, objects: ObjectStore) {
  let database: DatabaseSync | undefined
  const keyOf = (digest: Digest): string | undefined => {
    database ??= openFound(join(folder, recordsName))
    const row = database.prepare('select object_key as key from blobs where digest = ?').get(digest)
    return row === undefined ? undefined : String(row['key'])
  }
  return {
    async take(digest: Digest, bytes: AsyncIterable<Buffer>): Promise<void> {
      const key = keyOf(digest)
      if (key === undefined) {
        for await (const _chunk of bytes);
        return
      }
      const writer = await atTarget(digest, () => objects.create(key))
      try {
        await writer.append(bytes)
      } catch (error) {
        await writer.release()
        await objects.remove(key)
        throw error
      }
      await writer.seal()
    },
    close: () => database?.close(),
  }
}

function openFound(path: string): DatabaseSync {
  try {
    const database = new DatabaseSync(path, { readOnly: true })
    database.prepare('select object_key from blobs limit 1').get()
    return database
  } catch (cause) {
    throw new LazaretError('UNREADABLE', `${recordsName} is missing or damaged, and without it no blob has its place`, { cause })
  }
}

/** Records of an older version are brought up to this one before they go over. */
async function importUpgraded(path: string, records: Records): Promise<void> {
  await (await openSqliteRecords(path)).close()
  await importRecords(path, records)
}

async function putInPlace(folder: string, { dataFolder, database }: RestoreParts, manifest: BackupManifest): Promise<void> {
  for (const { name } of manifest.files) {
    const isRecords = name === recordsName
    if (isRecords && database !== undefined) continue
    const place = isRecords ? sqliteFile(dataFolder) : join(dataFolder, name)
    await mkdir(dirname(place), { recursive: true, mode: 0o700 })
    await rename(join(folder, name), place)
    await chmod(place, 0o600)
    await synced(dirname(place))
  }
  await synced(dataFolder)
  await rm(folder, { recursive: true })
  await synced(dataFolder)
}

async function auditRestore(records: Records, manifest: BackupManifest, at: number): Promise<void> {
  const entry = {
    ...systemActor,
    at,
    action: 'backup.restore',
    subject: manifest.set,
    result: 'done',
    detail: { takenAt: manifest.takenAt },
  } as const
  await records.write((tx) => recordAudit(tx, entry))
}

async function withRecords(
  { dataFolder, database }: Pick<RestoreParts, 'dataFolder' | 'database'>,
  work: (records: Records) => Promise<void>,
): Promise<void> {
  const records = database === undefined ? await openRecords(dataFolder) : await openDatabase(database)
  try {
    await work(records)
  } finally {
    await records.close()
  }
}

/** While the restore is under way, `openRecords` refuses the folder. */
async function openDatabase(address: string): Promise<Records> {
  return (await import('../records/postgres.ts')).openPostgresRecords(address)
}
