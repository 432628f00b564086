import { existsSync, mkdtempSync, readdirSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { currentRevision, revisionPath } from '../advisories/revisions.ts'
import { LazaretError } from '../kit/errors.ts'
import { trustAuthorities } from '../kit/outgoing/authorities.ts'
import type { Settings } from '../kit/settings/settings.ts'
import { takeBackup, type BackupOutcome, type BackupProgress, type StateFile } from '../store/backup/backup.ts'
import { isFileName, type BackupManifest } from '../store/backup/form.ts'
import { readBackup, type ReadBackup } from '../store/backup/read.ts'
import { requireEmptyFolder, restoreBackup } from '../store/backup/restore.ts'
import { openFileObjects } from '../store/objects/files.ts'
import { openRecords, sqliteFile } from '../store/records/open.ts'
import { takeHold } from './hold.ts'

export type { BackupManifest } from '../store/backup/form.ts'
export type { BackupProgress } from '../store/backup/backup.ts'

type ReadProgress = (progress: { blobs: number; bytes: number }) => void

/**
 * Takes a backup beside a server or without one: it needs no hold of the data folder, as it only reads there, but for a note in the
 * records that keeps the collection from removing what it copies. In: a folder, or an archive's name (`.tar`, `.tar.zst`).
 */
export async function backUp(
  settings: Settings,
  target: string,
  { version, onProgress }: { version: string; onProgress: (progress: BackupProgress) => void },
): Promise<BackupOutcome> {
  trustAuthorities(settings.network.ca)
  const records = await openRecords(settings.data, settings.database, { asTheyAre: true })
  const objects = await openFileObjects(settings.blobs)
  try {
    const parts = { records, objects, sqlitePath: sqliteFile(settings.data), version, onProgress, now: Date.now }
    return await takeBackup({ ...parts, stateFiles: () => stateFiles(settings.data) }, target)
  } finally {
    await objects.close()
    await records.close()
  }
}

/** Keys, the generated password of the first administrator, and the advisories in force. */
function stateFiles(data: string): StateFile[] {
  const keys = existsSync(join(data, 'keys')) ? readdirSync(join(data, 'keys')).map((name) => `keys/${name}`) : []
  const plain = [...keys, 'admin-password'].filter((name) => isFileName(name) && existsSync(join(data, name)))
  const revision = currentRevision(data)
  return [
    ...plain.map((name) => ({ name, path: join(data, name) })),
    ...(revision === undefined
      ? []
      : [
          { name: 'advisories/current', text: `${JSON.stringify(revision)}\n` },
          { name: `advisories/${revision.file}`, path: revisionPath(data, revision) },
        ]),
  ]
}

/** In: a folder or an archive. Out: what it holds, and all that is wrong with it. Reads every byte of it. */
export async function verifyBackup(source: string, onProgress: ReadProgress): Promise<ReadBackup> {
  const folder = mkdtempSync(join(tmpdir(), 'lazaret-verify-'))
  try {
    return await readBackup(source, {
      folder,
      keepsFiles: false,
      onProgress,
      async takeBlob(_digest, bytes) {
        for await (const _chunk of bytes);
      },
    })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Puts a backup into the data folder of the settings, which must be empty, as must the database be where one is set. */
export async function restore(settings: Settings, source: string, onProgress: ReadProgress): Promise<BackupManifest> {
  if (!existsSync(source)) throw new LazaretError('NOT_FOUND', `${source} is not there`)
  trustAuthorities(settings.network.ca)
  await requireEmptyFolder(settings.data)
  const hold = await takeHold(settings.data, 'restore')
  try {
    await requireEmptyFolder(settings.data) // another may have restored meanwhile
    await requireEmptyFolder(settings.blobs)
    const objects = await openFileObjects(settings.blobs)
    return await restoreBackup(source, {
      dataFolder: settings.data,
      objects,
      onProgress,
      now: Date.now,
      ...(settings.database === undefined ? {} : { database: settings.database }),
    })
  } finally {
    hold.release()
  }
}
