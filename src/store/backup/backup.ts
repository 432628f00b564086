import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Readable } from 'node:stream'
import { recordAudit, systemActor } from '../audit.ts'
import type { ObjectStore } from '../objects/objects.ts'
import { thisStep } from '../records/migrate.ts'
import type { Records } from '../records/records.ts'
import { archiveSink } from './archive.ts'
import { damageIn, namedBlobs } from './blobs.ts'
import { folderSink } from './folder.ts'
import { isArchive, recordsName, setName, type BackupManifest } from './form.ts'
import { leaseMs, takeLease, type BackupLease } from './lease.ts'
import type { BackupSink } from './sink.ts'
import { settleSnapshot, takeSnapshot, type DamagedHere } from './snapshot.ts'
import { atTarget, writeWhole } from './target.ts'

/** Besides records and blobs: a file as a backup names it, and where it is or what it holds. */
export type StateFile = { name: string } & ({ path: string } | { text: string })

export interface BackupProgress {
  blobs: number
  ofBlobs: number
  bytes: number
  ofBytes: number
}

export interface BackupParts {
  records: Records
  /** Where the records are, over SQLite. */
  sqlitePath: string
  objects: ObjectStore
  /** Asked for once the records are copied. */
  stateFiles: () => StateFile[]
  version: string
  now: () => number
  onProgress?: (progress: BackupProgress) => void
}

export interface BackupOutcome {
  manifest: BackupManifest
  /** Blobs that were not in the target yet. */
  copied: { blobs: number; bytes: number }
}

/** More than the disk has to do at once gains nothing. */
const blobsAtOnce = 4

/**
 * Takes a backup of what a server has, while it serves: first a hold on the objects, then the records as they are at one moment, then
 * every blob that these name. In: a folder, or an archive's name.
 * Throws CONFLICT where another backup is under way or the folder holds other things, UNAVAILABLE where the target can't be written;
 * what was there before is as it was then.
 */
export async function takeBackup(parts: BackupParts, target: string): Promise<BackupOutcome> {
  await using hold = await holdObjects(parts)
  const takenAt = parts.now()
  const sink = await (isArchive(target) ? archiveSink : folderSink)(target, setName(takenAt), parts.objects)
  try {
    const path = join(sink.setFolder, recordsName)
    await parts.records.write((tx) =>
      recordAudit(tx, { ...systemActor, at: takenAt, action: 'backup.take', subject: setName(takenAt), result: 'done' }),
    )
    await atTarget(path, () => takeSnapshot(parts.records, parts.sqlitePath, path))
    const files = parts.stateFiles()
    for (const file of files) await writeWhole(join(sink.setFolder, file.name), contentOf(file))
    const { damaged, copied } = await takeBlobs(parts, sink, path, hold.check)
    await atTarget(path, () => settleSnapshot(path, damaged, parts.now()))
    const manifest = await describe(parts, takenAt, sink.setFolder, files, damaged)
    const database = new DatabaseSync(path, { readOnly: true })
    try {
      await sink.finish(manifest, namedBlobs(database))
    } finally {
      database.close()
    }
    await hold.check()
    return { manifest, copied }
  } catch (error) {
    await sink.discard()
    throw error
  }
}

function contentOf(file: StateFile): AsyncIterable<Buffer> {
  return 'path' in file ? (createReadStream(file.path) as AsyncIterable<Buffer>) : Readable.from([Buffer.from(file.text)])
}

interface ObjectsHold extends AsyncDisposable {
  /** Throws where the hold was lost. */
  check: () => Promise<void>
}

async function holdObjects({ records, now }: BackupParts): Promise<ObjectsHold> {
  const lease: BackupLease = await takeLease(records, now)
  let extending: Promise<void> = Promise.resolve()
  const extend = () => {
    extending = extending.then(() => lease.extend())
    extending.catch(() => undefined) // told by the next check
  }
  const timer = setInterval(extend, leaseMs / 6)
  return {
    check: () => extending,
    async [Symbol.asyncDispose]() {
      clearInterval(timer)
      await Promise.allSettled([extending])
      await lease.release()
    },
  }
}

async function takeBlobs(
  { onProgress }: BackupParts,
  sink: BackupSink,
  path: string,
  check: () => Promise<void>,
): Promise<{ damaged: DamagedHere[]; copied: BackupOutcome['copied'] }> {
  const database = new DatabaseSync(path, { readOnly: true })
  try {
    const progress = { blobs: 0, bytes: 0, ...totalOf(database) }
    const damaged: DamagedHere[] = []
    const copied = { blobs: 0, bytes: 0 }
    const left = namedBlobs(database)
    const work = async () => {
      for (const blob of left) {
        let came: 'copied' | 'there' = 'there'
        const problem = await damageIn(async () => (came = await sink.take(blob)))
        if (problem !== undefined) damaged.push({ id: blob.id, digest: blob.digest, objectKey: blob.objectKey, problem })
        else if ((came as string) === 'copied') {
          copied.blobs++
          copied.bytes += blob.sizeBytes
        }
        progress.blobs++
        progress.bytes += blob.sizeBytes
        onProgress?.({ ...progress })
        await check()
      }
    }
    await allOrFirstProblem(Array.from({ length: blobsAtOnce }, work))
    return { damaged: damaged.toSorted((a, b) => a.id - b.id), copied }
  } finally {
    database.close()
  }
}

/** Waits for all of them, so that none goes on behind an error. */
async function allOrFirstProblem(works: Promise<void>[]): Promise<void> {
  for (const ended of await Promise.allSettled(works)) if (ended.status === 'rejected') throw ended.reason
}

function totalOf(database: DatabaseSync): { ofBlobs: number; ofBytes: number } {
  const row = database.prepare('select count(*) as blobs, coalesce(sum(size), 0) as bytes from blobs').get()
  return { ofBlobs: Number(row?.['blobs']), ofBytes: Number(row?.['bytes']) }
}

async function describe(
  { records, version }: BackupParts,
  takenAt: number,
  setFolder: string,
  stateFiles: StateFile[],
  damaged: DamagedHere[],
): Promise<BackupManifest> {
  const names = [recordsName, ...stateFiles.map(({ name }) => name)]
  const files = await Promise.all(names.map(async (name) => ({ name, ...(await hashOfFile(join(setFolder, name))) })))
  return {
    form: 1,
    version,
    schema: thisStep(),
    takenAt: new Date(takenAt).toISOString(),
    from: records.kind,
    set: setName(takenAt),
    counts: countsIn(join(setFolder, recordsName)),
    files,
    damaged: damaged.map(({ digest, problem }) => ({ digest, problem })),
  }
}

export async function hashOfFile(path: string): Promise<{ sizeBytes: number; sha256: string }> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer)
  return { sizeBytes: (await stat(path)).size, sha256: hash.digest('hex') }
}

export function countsIn(path: string): BackupManifest['counts'] {
  const database = new DatabaseSync(path, { readOnly: true })
  try {
    const count = (table: string) => Number(database.prepare(`select count(*) as n from ${table}`).get()?.['n'])
    const { ofBlobs, ofBytes } = totalOf(database)
    const [repositories = 0, manifests = 0, tags = 0, users = 0] = ['repositories', 'manifests', 'tags', 'users'].map(count)
    return { repositories, manifests, tags, users, blobs: ofBlobs, blobBytes: ofBytes }
  } finally {
    database.close()
  }
}
