import { readFileSync } from 'node:fs'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { zstdDecompress } from 'node:zlib'
import { LazaretError, messageOf } from '../kit/errors.ts'
import { isObject } from './fields.ts'
import { currentRevision, publish, type Revision, withImportLock, workPath } from './revisions.ts'

/** data/advisories/snapshot.json, beside the packed database. */
export interface BundleHead {
  /** Hash of the packed database: which snapshot this is. */
  sha256: string
  file: string
  /** ISO 8601: the newest data in it. */
  date: string
  /** Bytes of the unpacked database. */
  sizeBytes: number
}

const unpackWhole = promisify(zstdDecompress)

const bundleFolder = join(import.meta.dirname, '../../data/advisories')

/** How long to wait for another process that lays the database down: several may start at once. */
const waitSeconds = 20

/**
 * Lays the bundled snapshot down in the data folder where there is no database, or an older snapshot that nothing was
 * imported into. Else it reads two small files and returns.
 * Throws UNAVAILABLE where the snapshot can't be read or the folder not be written.
 */
export async function ensureDatabase(dataFolder: string, bundle: string = bundleFolder): Promise<void> {
  const head = readHead(bundle)
  if (isUpToDate(currentRevision(dataFolder), head)) return
  await withImportLock(
    dataFolder,
    async () => {
      const before = currentRevision(dataFolder)
      if (!isUpToDate(before, head)) await unpack(dataFolder, bundle, head, (before?.counter ?? 0) + 1)
    },
    waitSeconds,
  )
}

function isUpToDate(revision: Revision | undefined, head: BundleHead): boolean {
  if (revision === undefined) return false
  return revision.imported || revision.bundle === head.sha256 || revision.date > head.date
}

async function unpack(dataFolder: string, bundle: string, head: BundleHead, counter: number): Promise<void> {
  const work = await workPath(dataFolder)
  try {
    // In one piece: a start does other things meanwhile, and each chunk of a stream would wait for them.
    const unpacked = await unpackWhole(await readFile(join(bundle, head.file)), { maxOutputLength: head.sizeBytes })
    await writeFile(work, unpacked, { flag: 'wx', mode: 0o600 })
    await publish(dataFolder, work, { counter, date: head.date, bundle: head.sha256, wholeSince: counter, imported: false })
  } catch (error) {
    throw new LazaretError('UNAVAILABLE', `the bundled advisories can't be laid down in ${dataFolder}: ${messageOf(error)}`, {
      cause: error,
    })
  } finally {
    await rm(work, { force: true })
  }
}

function readHead(bundle: string): BundleHead {
  const path = join(bundle, 'snapshot.json')
  try {
    const head = JSON.parse(readFileSync(path, 'utf8')) as unknown
    if (isObject(head) && typeof head['sha256'] === 'string' && typeof head['file'] === 'string' && typeof head['date'] === 'string')
      return head as unknown as BundleHead
  } catch (error) {
    throw new LazaretError('UNAVAILABLE', `the bundled advisories can't be read: ${messageOf(error)}`, { cause: error })
  }
  throw new LazaretError('UNAVAILABLE', `${path} is damaged`)
}
