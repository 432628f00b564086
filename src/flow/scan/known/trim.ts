import { lstat, readdir, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { LazaretError, messageOf } from '../../../kit/errors.ts'
import { draftPrefix, faultOf, isOfSystem, type Say } from './folder.ts'

/** What a run that was killed left half written. */
const draftMs = 3_600_000
/** Room is made for more than one entry at a time. */
const shareLeft = 0.8

interface Kept {
  path: string
  sizeBytes: number
  usedAt: number
}

/** In: the folder and the most bytes that it may have. The longest unused leave until there is room again. */
export async function trimEntries(folder: string, mostBytes: number, say: Say): Promise<void> {
  try {
    const kept: Kept[] = []
    for (const one of await keptIn(folder))
      if (isAbandoned(one)) await rm(one.path, { force: true })
      else kept.push(one)
    let sum = kept.reduce((all, { sizeBytes }) => all + sizeBytes, 0)
    if (sum <= mostBytes) return
    for (const { path, sizeBytes } of kept.toSorted((a, b) => a.usedAt - b.usedAt)) {
      if (sum <= mostBytes * shareLeft) return
      await rm(path, { force: true })
      sum -= sizeBytes
    }
  } catch (error) {
    if (!isOfSystem(error)) throw error
    say(`${folder} could not be trimmed: ${messageOf(error)}`, false)
  }
}

/** In: the folder. Out: how many entries it has, and their bytes. Throws DENIED where it is not ours. */
export async function entriesIn(folder: string): Promise<{ count: number; sizeBytes: number }> {
  requireOwn(folder)
  const kept = await keptIn(folder)
  return { count: kept.length, sizeBytes: kept.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) }
}

/** Removes every entry; runs that go on meanwhile find nothing, and read again. Out: what was there. Throws DENIED where it is not ours. */
export async function clearEntries(folder: string): Promise<{ count: number; sizeBytes: number }> {
  const before = await entriesIn(folder)
  for (const { path } of await keptIn(folder)) await rm(path, { force: true })
  return before
}

function requireOwn(folder: string): void {
  const fault = faultOf(folder)
  if (fault !== undefined) throw new LazaretError('DENIED', fault)
}

function isAbandoned({ path, usedAt }: Kept): boolean {
  return basename(path).startsWith(draftPrefix) && usedAt + draftMs < Date.now()
}

/** Files alone: folders in it are nobody's entries. Another run may remove one meanwhile. */
async function keptIn(folder: string): Promise<Kept[]> {
  const kept: Kept[] = []
  for (const name of await namesIn(folder)) {
    const path = join(folder, name)
    const stats = await orAbsent(() => lstat(path))
    if (stats !== undefined && !stats.isDirectory()) kept.push({ path, sizeBytes: stats.size, usedAt: stats.mtimeMs })
  }
  return kept
}

async function namesIn(folder: string): Promise<string[]> {
  return (await orAbsent(() => readdir(folder))) ?? []
}

async function orAbsent<T>(look: () => Promise<T>): Promise<T | undefined> {
  try {
    return await look()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
