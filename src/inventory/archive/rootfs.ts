import { constants } from 'node:fs'
import type { Stats } from 'node:fs'
import { lstat, open, readdir, readlink } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { LazaretError, messageOf } from '../../kit/errors.ts'
import { decodeName } from '../tar/text.ts'
import { paddingFor, tarEnd, tarHeader } from '../tar/write.ts'
import type { TarMember } from '../tar/write.ts'
import type { LocalManifest } from './image.ts'

/** What the kernel makes up: never part of an image. */
const virtual = new Set(['proc', 'sys', 'dev'])
const readBytes = 256 * 1024

/**
 * A root file system that lies in a folder, as an image of one layer, whose tar is made while it is read. No link is
 * followed. What can't be read is a problem, and the reading goes on; a file that changes while it is read is an error.
 * In: the folder, and the list that problems go to.
 */
export function rootfsManifest(root: string, problems: string[]): LocalManifest {
  const open = () => Readable.from(tarOf(Buffer.from(root), problems), { objectMode: false })
  return { role: 'image', names: [], configBytes: Buffer.from('{}'), layers: [{ open }] }
}

/** Folders still to do are kept in a list: a path as deep as the kernel lets it be costs no stack. */
async function* tarOf(root: Buffer, problems: string[]): AsyncGenerator<Buffer> {
  const pending = [{ real: root, path: '' }]
  for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
    for (const name of await namesIn(folder.real, folder.path, problems)) {
      const path = folder.path === '' ? decodeName(name) : `${folder.path}/${decodeName(name)}`
      const real = Buffer.concat([folder.real, Buffer.from('/'), name])
      const member = await noting(problems, path, async () => await memberOf(real, path))
      if (member?.flag === '5' && !virtual.has(path)) pending.push({ real, path })
      if (member?.flag === '0') yield* fileOf(real, path, problems)
      else if (member !== undefined) yield tarHeader(member)
    }
  }
  yield tarEnd()
}

async function namesIn(real: Buffer, path: string, problems: string[]): Promise<Buffer[]> {
  const names = await noting(problems, path, async () => await readdir(real, { encoding: 'buffer' }))
  return (names ?? []).sort(Buffer.compare)
}

/** Out: undefined for a socket, which no archive holds. */
async function memberOf(real: Buffer, path: string): Promise<TarMember | undefined> {
  const stats = await lstat(real)
  const flag = flagOf(stats)
  if (flag === undefined) return undefined
  const link = flag === '2' ? decodeName(await readlink(real, { encoding: 'buffer' })) : undefined
  return { ...ownerOf(stats), path, flag, sizeBytes: 0, ...(link !== undefined && { link }) }
}

async function* fileOf(real: Buffer, path: string, problems: string[]): AsyncGenerator<Buffer> {
  const handle = await noting(
    problems,
    path,
    async () => await open(real, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK),
  )
  if (handle === undefined) return
  try {
    const stats = await handle.stat()
    if (!stats.isFile()) throw new LazaretError('UNREADABLE', `${path} was replaced while the folder was read`)
    yield tarHeader({ ...ownerOf(stats), path, flag: '0', sizeBytes: stats.size })
    yield* bytesOf(handle, stats.size, path)
    yield paddingFor(stats.size)
  } finally {
    await handle.close()
  }
}

async function* bytesOf(handle: FileHandle, sizeBytes: number, path: string): AsyncGenerator<Buffer> {
  for (let at = 0; at < sizeBytes; ) {
    const chunk = Buffer.allocUnsafe(Math.min(readBytes, sizeBytes - at))
    const { bytesRead } = await handle.read(chunk, 0, chunk.length, at)
    if (bytesRead === 0) throw new LazaretError('UNREADABLE', `${path} became shorter while it was read`)
    yield chunk.subarray(0, bytesRead)
    at += bytesRead
  }
}

/** What can't be opened is noted with its path, and makes the image `unreadable`; it is never passed over in silence. */
async function noting<T>(problems: string[], path: string, run: () => Promise<T>): Promise<T | undefined> {
  try {
    return await run()
  } catch (error) {
    problems.push(`${path === '' ? '/' : path}: ${messageOf(error)}`)
    return undefined
  }
}

function ownerOf({ mode, uid, gid, mtimeMs }: Stats): Pick<TarMember, 'mode' | 'uid' | 'gid' | 'mtime'> {
  return { mode: mode & 0o7777, uid, gid, mtime: Math.floor(mtimeMs / 1000) }
}

function flagOf(stats: Stats): TarMember['flag'] | undefined {
  if (stats.isFile()) return '0'
  if (stats.isSymbolicLink()) return '2'
  if (stats.isCharacterDevice()) return '3'
  if (stats.isBlockDevice()) return '4'
  if (stats.isDirectory()) return '5'
  return stats.isFIFO() ? '6' : undefined
}
