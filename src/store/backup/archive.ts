import { createReadStream } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { pipeline, type Readable, type Writable } from 'node:stream'
import { constants, createZstdCompress } from 'node:zlib'
import tar, { type Pack } from 'tar-stream'
import { LazaretError } from '../../kit/errors.ts'
import type { ObjectStore } from '../objects/objects.ts'
import { bytesOf, type NamedBlob } from './blobs.ts'
import { blobPath, manifestName, manifestText, type BackupManifest } from './form.ts'
import type { BackupSink } from './sink.ts'
import { atTarget, syncFolders, writeWhole } from './target.ts'

/** Layers are compressed already: what is left to gain is little. */
const level = 1

/**
 * A backup in one file, `.tar` or `.tar.zst`, which takes its name when it is whole. Blobs are read twice: an entry can't be taken
 * back once its bytes turn out to be others.
 */
export async function archiveSink(target: string, set: string, objects: ObjectStore): Promise<BackupSink> {
  const work = `${target}.${set}.work`
  const setFolder = join(work, set)
  await atTarget(target, () => mkdir(setFolder, { recursive: true, mode: 0o700 }))
  const discard = () => rm(work, { recursive: true, force: true })
  return {
    setFolder,
    async take(blob) {
      for await (const _chunk of bytesOf(objects, blob));
      return 'copied'
    },
    async finish(manifest, blobs) {
      await writeWhole(target, packed(target, setFolder, manifest, blobs, objects))
      await syncFolders(dirname(target), [])
      await discard()
    },
    discard,
  }
}

function packed(
  target: string,
  setFolder: string,
  manifest: BackupManifest,
  blobs: Iterable<NamedBlob>,
  objects: ObjectStore,
): AsyncIterable<Buffer> {
  const archive = tar.pack()
  fill(archive, setFolder, manifest, blobs, objects).catch((error: unknown) => archive.destroy(error as Error))
  if (!target.endsWith('.zst')) return archive as unknown as AsyncIterable<Buffer>
  const encoder = createZstdCompress({
    params: { [constants.ZSTD_c_compressionLevel]: level, [constants.ZSTD_c_checksumFlag]: 1 },
  })
  // The error is not lost: pipeline destroys the encoder with it, and whoever reads it is thrown it.
  pipeline(archive as unknown as Readable, encoder, () => {})
  return encoder
}

async function fill(
  archive: Pack,
  setFolder: string,
  manifest: BackupManifest,
  blobs: Iterable<NamedBlob>,
  objects: ObjectStore,
): Promise<void> {
  const damaged = new Set(manifest.damaged.map(({ digest }) => digest))
  const mtime = new Date(manifest.takenAt)
  const add = async (name: string, size: number, source: AsyncIterable<Buffer> | Iterable<Buffer>) => {
    const entry = archive.entry({ name, size, mtime, mode: 0o600 }) as unknown as Writable
    for await (const chunk of source) if (!entry.write(chunk)) await drained(entry)
    entry.end()
  }
  for (const { name, sizeBytes } of manifest.files)
    await add(`${manifest.set}/${name}`, sizeBytes, createReadStream(join(setFolder, name)) as AsyncIterable<Buffer>)
  for (const blob of blobs) if (!damaged.has(blob.digest)) await add(blobPath(blob.digest), blob.sizeBytes, bytesOf(objects, blob))
  const text = Buffer.from(manifestText(manifest))
  await add(manifestName, text.length, [text])
  archive.finalize()
}

/** Whoever reads the archive may have given it up. */
async function drained(entry: Writable): Promise<void> {
  await new Promise<void>((resolve) => {
    const go = () => {
      entry.off('drain', go).off('close', go)
      resolve()
    }
    entry.on('drain', go).on('close', go)
  })
  if (entry.destroyed) throw new LazaretError('UNAVAILABLE', 'the archive was given up')
}
