import { randomBytes } from 'node:crypto'
import { constants, close, open as openFd, write } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { decompress } from '../../kit/streams/decompress.ts'
import { defaultLimits } from '../limits.ts'
import { Budget } from '../walk/budget.ts'

/**
 * Unpacks a compressed archive, or takes one that can't be sought (a pipe), into a file that has no name any more: it is
 * gone when it is closed, or when the process ends however it ends.
 * In: the stored bytes. Out: the open file and its size. Throws UNREADABLE, LIMIT_EXCEEDED (a bomb).
 */
export async function spool(source: AsyncIterable<Uint8Array>): Promise<{ fd: number; sizeBytes: number }> {
  const archive = await decompress(source)
  const budget = new Budget(defaultLimits, archive.bytesIn)
  const fd = await openNameless()
  let sizeBytes = 0
  try {
    for await (const chunk of archive.bytes) {
      budget.bytes(chunk.length)
      await writeAll(fd, chunk, sizeBytes)
      sizeBytes += chunk.length
    }
  } catch (error) {
    await promisify(close)(fd)
    throw error
  }
  return { fd, sizeBytes }
}

async function writeAll(fd: number, chunk: Buffer, position: number): Promise<void> {
  for (let at = 0; at < chunk.length; ) {
    const { bytesWritten } = await promisify(write)(fd, chunk, at, chunk.length - at, position + at)
    at += bytesWritten
  }
}

async function openNameless(): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'lazaret-'))
  try {
    const path = join(folder, randomBytes(8).toString('hex'))
    return await promisify(openFd)(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o600)
  } finally {
    await rm(folder, { recursive: true })
  }
}
