import { constants, createReadStream } from 'node:fs'
import { lstat, open, realpath } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { normalisePath } from '../tar/paths.ts'
import type { FileSet, StoredFile } from './files.ts'
import { hashOfPart } from './hash.ts'

/** The files of a folder that are really in it: no link leads out, and nothing but regular files is opened. */
export async function openFolder(path: string): Promise<FileSet> {
  const root = await realpath(path)
  return { find: async (inside) => await findFile(root, normalisePath(inside)), close: async () => {} }
}

async function findFile(root: string, path: string): Promise<StoredFile | undefined> {
  const real = await realPathOf(join(root, path))
  if (real === undefined || !real.startsWith(root.endsWith(sep) ? root : root + sep)) return undefined
  const { size } = await lstat(real)
  const handle = await open(real, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  const isFile = (await handle.stat()).isFile()
  await handle.close()
  if (!isFile) return undefined
  const openStream = () => createReadStream(real, { flags: 'r', highWaterMark: 256 * 1024 })
  return { path: real, sizeBytes: size, open: openStream, hash: async (algorithm) => await hashOfFile(real, algorithm) }
}

async function hashOfFile(real: string, algorithm: string): Promise<string> {
  const handle = await open(real, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    return await hashOfPart(handle.fd, { start: 0, sizeBytes: (await handle.stat()).size }, algorithm)
  } finally {
    await handle.close()
  }
}

async function realPathOf(path: string): Promise<string | undefined> {
  try {
    return await realpath(path)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP') return undefined
    throw error
  }
}
