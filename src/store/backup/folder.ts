import { mkdir, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { LazaretError } from '../../kit/errors.ts'
import type { ObjectStore } from '../objects/objects.ts'
import { bytesOf, type NamedBlob } from './blobs.ts'
import { blobPath, isSetName, manifestName, manifestText, type BackupManifest } from './form.ts'
import type { BackupSink } from './sink.ts'
import { atTarget, isThere, syncFolders, writeWhole } from './target.ts'

/**
 * A backup in a folder. Until the manifest is exchanged, the one before it stays whole; then what only that one needed is removed.
 * Throws CONFLICT where the folder holds other things.
 */
export async function folderSink(target: string, set: string, objects: ObjectStore): Promise<BackupSink> {
  await atTarget(target, () => mkdir(target, { recursive: true, mode: 0o700 }))
  const foreign = (await readdir(target)).find((name) => name !== manifestName && name !== 'blobs' && !isSetName(name) && !isWork(name))
  if (foreign !== undefined)
    throw new LazaretError('CONFLICT', `${target} holds other things (${foreign.slice(0, 100)}): a backup takes a folder of its own`)
  const setFolder = join(target, set)
  await atTarget(target, () => mkdir(setFolder, { mode: 0o700 }))
  const written: string[] = []
  return {
    setFolder,
    async take(blob) {
      const path = join(target, blobPath(blob.digest))
      if (await isThere(path, blob.sizeBytes)) return 'there'
      await writeWhole(path, bytesOf(objects, blob))
      written.push(path)
      return 'copied'
    },
    async finish(manifest, blobs) {
      await syncFolders(target, [...written, ...manifest.files.map(({ name }) => join(setFolder, name))])
      await writeManifest(target, manifest)
      await removeOthers(target, manifest, blobs)
    },
    discard: () => rm(setFolder, { recursive: true, force: true }),
  }
}

async function writeManifest(target: string, manifest: BackupManifest): Promise<void> {
  const path = join(target, manifestName)
  const work = join(target, `${manifestName}.${manifest.set}.work`)
  await writeWhole(work, Readable.from([Buffer.from(manifestText(manifest))]))
  await atTarget(path, () => rename(work, path))
  await syncFolders(target, [])
}

/** What an earlier backup needed, and what one that broke off left. */
async function removeOthers(target: string, manifest: BackupManifest, blobs: Iterable<NamedBlob>): Promise<void> {
  for (const name of await readdir(target))
    if ((isSetName(name) && name !== manifest.set) || isWork(name)) await rm(join(target, name), { recursive: true, force: true })
  const damaged = new Set(manifest.damaged.map(({ digest }) => digest))
  const needed = new Set<string>()
  for (const blob of blobs) if (!damaged.has(blob.digest)) needed.add(blobPath(blob.digest))
  for await (const path of blobFiles(target)) if (!needed.has(path)) await rm(join(target, path), { force: true })
}

function isWork(name: string): boolean {
  return name.endsWith('.work')
}

/** Out: every file below `blobs`, relative to the folder of the backup, in order. */
export async function* blobFiles(folder: string): AsyncGenerator<string> {
  for (const algorithm of await namesIn(join(folder, 'blobs')))
    for (const start of await namesIn(join(folder, 'blobs', algorithm)))
      for (const name of await namesIn(join(folder, 'blobs', algorithm, start))) yield ['blobs', algorithm, start, name].join('/')
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).toSorted()
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return []
    throw error
  }
}
