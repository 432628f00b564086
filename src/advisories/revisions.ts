import { readdirSync, readFileSync, statSync } from 'node:fs'
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout } from 'node:timers/promises'
import { LazaretError, messageOf } from '../kit/errors.ts'
import { isObject } from './fields.ts'

/*
 *  DATA/advisories/
 *    current            which file is read: JSON, exchanged whole
 *    000007.sqlite      a revision; once here, never written again
 *    000006.sqlite      some before it stay, for readers that still have them open, and to go back to
 *    000006.json        what the pointer said of it
 *    work-….sqlite      an import under way, or one that was killed
 *    import.lock        locked by the process that imports
 */
export interface Revision {
  /** `000007-20261124`: grows with each import. */
  revision: string
  counter: number
  file: string
  /** A file of another length was cut short. */
  sizeBytes: number
  /** ISO 8601: the newest data in it. */
  date: string
  /** The bundled snapshot that it began with, and the counter at which it did. */
  bundle?: string
  wholeSince: number
  /** Whether anything was imported on top of the bundle. */
  imported: boolean
  /** ISO 8601: when it was made; absent where an earlier version made it. */
  madeAt?: string
  /** Where it was not made by an import of data: what it is a copy of. */
  origin?: RevisionOrigin
}

export interface RevisionOrigin {
  how: 'export' | 'rollback'
  /** As it was called there. */
  revision: string
  /** Of an export: the key that signed it; absent where it was let in without. */
  signedBy?: string
}

/** In force and before: as many as can be gone back to, and as much room as is taken. */
export const keptRevisions = 5

export function advisoryFolder(dataFolder: string): string {
  return join(dataFolder, 'advisories')
}

export function revisionPath(dataFolder: string, revision: Revision): string {
  return join(advisoryFolder(dataFolder), revision.file)
}

/**
 * In: the data folder. Out: the revision that is in force, or undefined where there is none yet. A few hundred microseconds,
 * so that it can be asked often. Throws UNAVAILABLE where what is there can't be trusted.
 */
export function currentRevision(dataFolder: string): Revision | undefined {
  const path = join(advisoryFolder(dataFolder), 'current')
  const text = readPointer(path)
  if (text === undefined) return undefined
  const revision = parsePointer(text, path)
  const size = statSync(revisionPath(dataFolder, revision), { throwIfNoEntry: false })?.size
  if (size === revision.sizeBytes) return revision
  throw new LazaretError(
    'UNAVAILABLE',
    `${revisionPath(dataFolder, revision)} ${size === undefined ? 'is missing' : `has ${size} bytes where ${revision.sizeBytes} were written`}`,
  )
}

/**
 * In: the data folder. Out: the revisions that are kept, the newest first, the one in force among them. A file that a killed
 * import left beyond that one is none, nor is one that was cut, or of which nothing is known.
 */
export function listRevisions(dataFolder: string): Revision[] {
  const current = currentRevision(dataFolder)
  if (current === undefined) return []
  const folder = advisoryFolder(dataFolder)
  const kept = readdirSync(folder)
    .filter((name) => /^\d{6,}\.json$/.test(name) && Number.parseInt(name, 10) < current.counter)
    .map((name) => parsePointer(readFileSync(join(folder, name), 'utf8'), join(folder, name)))
    .filter((one) => statSync(revisionPath(dataFolder, one), { throwIfNoEntry: false })?.size === one.sizeBytes)
  return [current, ...kept.toSorted((a, b) => b.counter - a.counter)]
}

function readPointer(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (isObject(error) && error['code'] === 'ENOENT') return undefined
    throw new LazaretError('UNAVAILABLE', `${path} can't be read: ${messageOf(error)}`, { cause: error })
  }
}

function parsePointer(text: string, path: string): Revision {
  try {
    const value = JSON.parse(text) as Partial<Revision>
    if (
      typeof value.counter === 'number' &&
      typeof value.revision === 'string' &&
      typeof value.sizeBytes === 'number' &&
      /^\d{6,}\.sqlite$/.test(value.file ?? '')
    )
      return value as Revision
  } catch (error) {
    throw new LazaretError('UNAVAILABLE', `${path} is damaged: ${messageOf(error)}`, { cause: error })
  }
  throw new LazaretError('UNAVAILABLE', `${path} is damaged`)
}

/** A path for a database under way, in the same folder so that it can be renamed. */
export async function workPath(dataFolder: string): Promise<string> {
  await mkdir(advisoryFolder(dataFolder), { recursive: true, mode: 0o700 })
  return join(advisoryFolder(dataFolder), `work-${process.pid}-${Math.random().toString(36).slice(2)}.sqlite`)
}

/**
 * Makes a finished work file the revision in force: the bytes reach the disk before the name does, and the name before
 * the pointer does, so that a crash at any point leaves the old revision or the new one.
 */
export async function publish(
  dataFolder: string,
  work: string,
  about: Omit<Revision, 'file' | 'sizeBytes' | 'revision' | 'madeAt'>,
): Promise<Revision> {
  const folder = advisoryFolder(dataFolder)
  const number = String(about.counter).padStart(6, '0')
  await flush(work)
  const { size } = await stat(work)
  const revision: Revision = {
    ...about,
    revision: `${number}-${about.date.slice(0, 10).replaceAll('-', '')}`,
    file: `${number}.sqlite`,
    sizeBytes: size,
    madeAt: new Date().toISOString(),
  }
  await rename(work, join(folder, revision.file))
  const pointer = `${work}.pointer`
  for (const path of [`${work}.about`, pointer]) await writeFlushed(path, `${JSON.stringify(revision)}\n`)
  await rename(`${work}.about`, join(folder, `${number}.json`))
  await rename(pointer, join(folder, 'current'))
  await flush(folder)
  await prune(folder, about.counter)
  return revision
}

async function flush(path: string): Promise<void> {
  const file = await open(path, 'r')
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}

async function writeFlushed(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o600)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
}

async function prune(folder: string, counter: number): Promise<void> {
  const old = (await readdir(folder)).filter(
    (name) => /^\d{6,}\.(?:sqlite|json)$/.test(name) && Number.parseInt(name, 10) <= counter - keptRevisions,
  )
  for (const name of old) await rm(join(folder, name), { force: true })
}

/**
 * Runs one change of the folder at a time, and clears away what a killed one left. The lock is SQLite's on a file of its
 * own, so that the system frees it when its process dies, however it dies.
 * Throws CONFLICT where another process holds it for longer than `waitSeconds`.
 */
export async function withImportLock<T>(dataFolder: string, work: () => Promise<T>, waitSeconds = 0): Promise<T> {
  const folder = advisoryFolder(dataFolder)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const lock = await takeLock(join(folder, 'import.lock'), waitSeconds)
  try {
    for (const name of await readdir(folder)) if (name.startsWith('work-')) await rm(join(folder, name), { force: true })
    return await work()
  } finally {
    lock.close()
  }
}

/** As `withImportLock`, over a lock of another name, and not waiting. Throws CONFLICT with these words. */
export async function withFolderLock<T>(dataFolder: string, name: string, words: string, work: () => Promise<T>): Promise<T> {
  const folder = advisoryFolder(dataFolder)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const lock = await takeLock(join(folder, name), 0, words)
  try {
    return await work()
  } finally {
    lock.close()
  }
}

async function takeLock(path: string, waitSeconds: number, words?: string): Promise<DatabaseSync> {
  const until = Date.now() + waitSeconds * 1000
  const lock = new DatabaseSync(path)
  for (;;) {
    const refused = tryLock(lock)
    if (refused === undefined) return lock
    if (Date.now() >= until) {
      lock.close()
      throw new LazaretError('CONFLICT', words ?? `another import into ${dirname(path)} is running`, { cause: refused })
    }
    await setTimeout(25)
  }
}

/** Out: undefined where the lock is ours now, else why not. Anything but "held by another" is thrown. */
function tryLock(lock: DatabaseSync): Error | undefined {
  try {
    lock.exec('BEGIN EXCLUSIVE')
    return undefined
  } catch (error) {
    if (error instanceof Error && 'errcode' in error && error.errcode === sqliteBusy) return error
    throw error
  }
}

const sqliteBusy = 5
