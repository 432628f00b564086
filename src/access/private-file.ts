// Secrets on disk: mode 0600, complete or not there, and still there after a power cut.
import { randomUUID } from 'node:crypto'
import { link, mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { LazaretError, messageOf } from '../kit/errors.ts'

const mostBytes = 16_384

/** Out: the text, or undefined where there is no such file. A mode that lets others read is tightened. */
export async function readPrivateFile(path: string): Promise<string | undefined> {
  try {
    const file = await open(path, 'r')
    try {
      const { mode, size } = await file.stat()
      if (size > mostBytes) throw new LazaretError('UNREADABLE', `${path} has ${size} bytes, more than ${mostBytes}`)
      // Kubernetes (fsGroup) and unpacked backups widen modes, so this is no reason to refuse the start.
      if ((mode & 0o077) !== 0) await file.chmod(0o600)
      return await file.readFile('utf8')
    } finally {
      await file.close()
    }
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined
    if (error instanceof LazaretError) throw error
    throw new LazaretError('UNAVAILABLE', `${path} can't be read: ${messageOf(error)}`, { cause: error })
  }
}

/** Writes the file, in place of one that is there. */
export function writePrivateFile(path: string, text: string): Promise<void> {
  return throughTemporary(path, text, (temporary) => rename(temporary, path))
}

/** Writes the file where there is none. Out: false where there is one, even if it came up in this moment. */
export async function createPrivateFile(path: string, text: string): Promise<boolean> {
  try {
    await throughTemporary(path, text, (temporary) => link(temporary, path))
    return true
  } catch (error) {
    if (error instanceof LazaretError && isErrno(error.cause, 'EEXIST')) return false
    throw error
  }
}

async function throughTemporary(path: string, text: string, put: (temporary: string) => Promise<void>): Promise<void> {
  const folder = dirname(path)
  const temporary = `${path}.${randomUUID()}`
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    try {
      await writeSynced(temporary, text)
      await put(temporary)
    } finally {
      await rm(temporary, { force: true })
    }
    await syncFolder(folder)
    await syncFolder(dirname(folder))
  } catch (error) {
    throw new LazaretError('UNAVAILABLE', `${path} can't be written: ${messageOf(error)}`, { cause: error })
  }
}

async function writeSynced(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o600)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && (error as NodeJS.ErrnoException).code === code
}
