// Where a backup goes: bytes that reach the disk before their name does.
import { randomUUID } from 'node:crypto'
import { mkdir, open, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { LazaretError, messageOf } from '../../kit/errors.ts'
import { asNoRoom } from '../../kit/no-room.ts'
import { synced } from '../../kit/synced.ts'

/**
 * Writes a file whole or not at all. Its folder's entry is not synced yet. In: a path, and its bytes, whose errors pass as they are.
 * Throws UNAVAILABLE, in words about the target, where the target is at fault.
 */
export async function writeWhole(path: string, source: AsyncIterable<Uint8Array>): Promise<void> {
  const work = `${path}.${randomUUID()}.work`
  await atTarget(path, () => mkdir(dirname(path), { recursive: true, mode: 0o700 }))
  const file = await atTarget(path, () => open(work, 'wx', 0o600))
  let isWritten = false
  try {
    try {
      for await (const chunk of source) await atTarget(path, () => file.writeFile(chunk))
      await atTarget(path, () => file.sync())
      isWritten = true
    } finally {
      await file.close()
    }
    await atTarget(path, () => rename(work, path))
  } finally {
    if (!isWritten) await rm(work, { force: true })
  }
}

/** What goes wrong within it is the target's fault, and is told so. */
export async function atTarget<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    if (cause instanceof LazaretError) throw cause
    const problem = asNoRoom(cause) === undefined ? messageOf(cause) : 'its disk is full'
    throw new LazaretError('UNAVAILABLE', `${path} can't be written: ${problem}`, { cause })
  }
}

/** Out: whether a file of that size is there. */
export async function isThere(path: string, sizeBytes: number): Promise<boolean> {
  try {
    const found = await stat(path)
    return found.isFile() && found.size === sizeBytes
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}

/** Folders whose new entries must reach the disk: each once, and those above them up to the root. */
export async function syncFolders(root: string, paths: Iterable<string>): Promise<void> {
  const folders = new Set([root, dirname(root)])
  for (const path of paths) for (let folder = dirname(path); folder.length > root.length; folder = dirname(folder)) folders.add(folder)
  for (const folder of folders) await atTarget(folder, () => synced(folder))
}
