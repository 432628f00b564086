import { close, createReadStream, read } from 'node:fs'
import { Readable } from 'node:stream'
import { promisify } from 'node:util'
import { LazaretError } from '../../kit/errors.ts'
import type { TarEntry, TarHandler } from '../tar/entry.ts'
import { joinPath, normalisePath, parentOf } from '../tar/paths.ts'
import { TarReader } from '../tar/reader.ts'
import type { FileSet, StoredFile } from './files.ts'
import { hashOfPart } from './hash.ts'

const blockBytes = 512
const readBytes = 64 * 1024
const maxEntries = 1_000_000
const maxLinkHops = 16

/** A part of the archive, or a link to one: old `docker save` stores a layer that two images share as a link. */
type Part = { start: number; sizeBytes: number } | { link: string }

/**
 * The files of a plain tar, found by one pass over its headers; nothing is unpacked.
 * In: an open file and its size; the set closes it. Out: its files by path. Throws UNREADABLE, LIMIT_EXCEEDED.
 */
export async function openTar(fd: number, sizeBytes: number): Promise<FileSet> {
  const parts = await indexTar(fd, sizeBytes)
  return {
    find: async (path) => toFile(fd, follow(parts, normalisePath(path))),
    close: async () => await promisify(close)(fd),
  }
}

async function indexTar(fd: number, sizeBytes: number): Promise<Map<string, Part>> {
  const handler = new Indexer()
  const reader = new TarReader(handler)
  const chunk = Buffer.alloc(readBytes)
  for (let at = 0; at < sizeBytes; ) {
    const { bytesRead } = await promisify(read)(fd, chunk, 0, readBytes, at)
    if (bytesRead === 0) break
    reader.push(chunk.subarray(0, bytesRead))
    at += bytesRead
    if (reader.skippable === 0) continue
    at += reader.skippable
    if (at > sizeBytes) throw new LazaretError('UNREADABLE', `the archive is cut short inside ${handler.last}`)
    reader.skip()
  }
  reader.finish()
  return handler.parts
}

class Indexer implements TarHandler {
  readonly parts = new Map<string, Part>()
  last = ''

  entry({ name, linkName, type, sizeBytes, offset, sparse }: TarEntry): void {
    this.last = name.slice(0, 200)
    const path = normalisePath(name)
    if (this.parts.size >= maxEntries) throw new LazaretError('LIMIT_EXCEEDED', `the archive has more than ${maxEntries} files`)
    if (sparse) throw new LazaretError('UNREADABLE', `the archive holds ${this.last} as a sparse file`)
    if (type === 'file') this.parts.set(path, { start: offset + blockBytes, sizeBytes })
    if (type === 'hardlink') this.parts.set(path, { link: normalisePath(linkName) })
    if (type === 'symlink')
      this.parts.set(path, { link: linkName.startsWith('/') ? normalisePath(linkName) : normalisePath(joinPath(parentOf(path), linkName)) })
  }

  data(): void {}
  end(): void {}
}

function follow(parts: ReadonlyMap<string, Part>, path: string): Part | undefined {
  let part = parts.get(path)
  for (let hop = 0; part !== undefined && 'link' in part; hop++) {
    if (hop === maxLinkHops) throw new LazaretError('UNREADABLE', `more than ${maxLinkHops} links on the way to ${path.slice(0, 200)}`)
    part = parts.get(part.link)
  }
  return part
}

function toFile(fd: number, part: Part | undefined): StoredFile | undefined {
  if (part === undefined || 'link' in part) return undefined
  const { start, sizeBytes } = part
  const range = { fd, autoClose: false, start, end: start + sizeBytes - 1, highWaterMark: 256 * 1024 }
  const open = () => (sizeBytes === 0 ? Readable.from([]) : createReadStream('', range))
  return { sizeBytes, open, hash: async (algorithm) => await hashOfPart(fd, { start, sizeBytes }, algorithm) }
}
