// objects/<2 hex>/<32 hex>   one file an object, spread over 256 folders by the first byte of its random key
import { createHash, randomBytes, type Hash } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { mkdir, open, readdir, rm, type FileHandle } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { LazaretError } from '../../kit/errors.ts'
import { settled } from '../../kit/settled.ts'
import { createSlots } from '../../kit/slots.ts'
import type { DigestAlgorithm } from '../../model/digest.ts'
import { createDigests, type Digests, type Follower } from './digests.ts'
import { FileBytes } from './file-bytes.ts'
import { createOpenFiles, type OpenFiles } from './open-files.ts'
import { countYoungBuffers } from './young-buffers.ts'
import type { ObjectStore, ObjectWriter } from './objects.ts'

/** Small network chunks are gathered to pieces of this size before they are written. */
const writeBytes = 1 << 20
/** A piece of one byte takes as much room as one of a hundred, and a `writev` takes no more than so many (IOV_MAX). */
const mostPieces = 1024
/** So much may wait in the page cache: the last sync before a 201 then has little left to do. */
const unsyncedBytes = 32 << 20

/** Of the thirty-two threads of the pool: the others are for those who read, and sign in, while a thousand push. */
const onDisk = createSlots({ atOnce: 24 })

/** An ObjectStore in a folder. In: the folder, made where it is missing. Throws what the file system throws (EACCES, ENOSPC …). */
export async function openFileObjects(folder: string): Promise<ObjectStore> {
  await makeFolders(folder)
  const digests = createDigests()
  const files = createOpenFiles()
  const pathOf = (key: string) => join(folder, key.slice(0, 2), checkedKey(key))
  return {
    newKey: () => randomBytes(16).toString('hex'),
    async create(key) {
      return new FileWriter(key, pathOf(key), await open(pathOf(key), 'wx', 0o600), 0, digests)
    },
    async resume(key) {
      const file = await open(pathOf(key), 'r+').catch((cause: unknown) => missing(cause, 'BLOB_UPLOAD_UNKNOWN'))
      return new FileWriter(key, pathOf(key), file, (await file.stat()).size, digests)
    },
    read: (key, range) => readFrom(files, pathOf(key), range),
    async remove(key) {
      await rm(pathOf(key), { force: true })
      await files.forget(pathOf(key))
    },
    async close() {
      await files.close()
      await digests.close()
    },
  }
}

/** At once rather than one by one through the thread pool: 5 ms instead of 150, and a later start makes none. */
async function makeFolders(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const there = new Set(await readdir(folder))
  const missing = Array.from({ length: 256 }, (_, at) => at.toString(16).padStart(2, '0')).filter((name) => !there.has(name))
  if (missing.length === 0) return
  for (const name of missing) mkdirSync(join(folder, name), { recursive: true, mode: 0o700 })
  await syncFolder(folder)
  await syncFolder(dirname(folder))
}

async function readFrom(files: OpenFiles, path: string, range: { start: number; end: number } | undefined): Promise<Readable> {
  const file = await files.open(path).catch((cause: unknown) => missing(cause, 'BLOB_UNKNOWN'))
  const { size } = file
  const { start, end } = range ?? { start: 0, end: size }
  if (start < end && end <= size) return new FileBytes(file, start, end)
  await file.close()
  if (end > size) throw new LazaretError('INTERNAL', `an object has ${size} bytes on disk, where ${end} were written: see lazaret doctor`)
  return Readable.from([])
}

/** A digest of fewer bytes is made as they come: a thread's messages and its second look at the file would cost more. */
const mostInlineBytes = 2 << 20
const inline: DigestAlgorithm = 'sha256'

class FileWriter implements ObjectWriter {
  readonly key: string
  readonly #path: string
  readonly #file: FileHandle
  readonly #digests: Digests
  #size: number
  /** Of all bytes, while they are few and were all seen. */
  #hash: Hash | undefined
  #follower: Follower | undefined
  #intact = true
  #unsynced = 0
  #syncing: Promise<void> | undefined
  #syncProblem: Error | undefined

  constructor(key: string, path: string, file: FileHandle, size: number, digests: Digests) {
    this.key = key
    this.#path = path
    this.#file = file
    this.#size = size
    this.#digests = digests
    this.#hash = size === 0 ? createHash(inline) : undefined
  }

  get size(): number {
    return this.#size
  }

  get intact(): boolean {
    return this.#intact
  }

  async append(source: AsyncIterable<Buffer>, onChunk?: (chunk: Buffer) => void): Promise<void> {
    let gathered: Buffer[] = []
    let gatheredBytes = 0
    let writing: Promise<void> = Promise.resolve()
    const flush = async () => {
      await writing
      if (gathered.length === 0) return
      writing = this.#write(gathered)
      writing.catch(() => undefined) // thrown by the next flush: what comes in meanwhile is not held up
      gathered = []
      gatheredBytes = 0
    }
    try {
      for await (const chunk of source) {
        onChunk?.(chunk)
        gathered.push(chunk)
        gatheredBytes += chunk.length
        countYoungBuffers(chunk.length)
        if (gatheredBytes >= writeBytes || gathered.length >= mostPieces) await flush()
      }
    } finally {
      await flush()
      await writing
    }
  }

  async #write(pieces: Buffer[]): Promise<void> {
    this.#intact = false
    let rest = pieces
    while (rest.length > 0) {
      const some = rest
      const { bytesWritten } = await onDisk(() => this.#file.writev(some, this.#size))
      this.#size += bytesWritten
      this.#unsynced += bytesWritten
      rest = after(rest, bytesWritten)
    }
    this.#hashed(pieces)
    this.#intact = true
    if (this.#unsynced >= unsyncedBytes) this.#syncAhead()
  }

  /** Beside what comes in. One that fails is told by the seal: the kernel tells of a lost page only once. */
  #syncAhead(): void {
    if (this.#syncing !== undefined) return
    this.#unsynced = 0
    this.#syncing = onDisk(() => this.#file.datasync()).then(
      () => {
        this.#syncing = undefined
      },
      (error: unknown) => {
        this.#syncProblem ??= error as Error
        this.#syncing = undefined
      },
    )
  }

  #hashed(pieces: Buffer[]): void {
    if (this.#size > mostInlineBytes) this.#hash = undefined
    if (this.#hash === undefined) {
      this.#follower ??= this.#digests.follow(this.#path, inline)
      this.#follower.reach(this.#size)
    } else for (const piece of pieces) this.#hash.update(piece)
  }

  async digest(algorithm: DigestAlgorithm): Promise<string> {
    if (algorithm !== inline) return this.#digestAnew(algorithm)
    if (this.#hash !== undefined) return this.#hash.copy().digest('hex')
    this.#syncAhead() // beside the thread that catches up
    this.#follower ??= this.#digests.follow(this.#path, inline)
    return this.#follower.digest(this.#size)
  }

  async #digestAnew(algorithm: DigestAlgorithm): Promise<string> {
    const follower = this.#digests.follow(this.#path, algorithm)
    try {
      return await follower.digest(this.#size)
    } finally {
      follower.leave()
    }
  }

  async seal(): Promise<void> {
    try {
      await this.#syncing
      if (this.#syncProblem !== undefined) throw this.#syncProblem
      const { size } = await this.#file.stat()
      if (size !== this.#size) throw new LazaretError('INTERNAL', `${size} bytes are on disk, where ${this.#size} were written`)
      await settled([onDisk(() => this.#file.sync()), onDisk(() => syncFolder(dirname(this.#path)))])
    } finally {
      this.#follower?.leave()
      await this.#file.close()
    }
  }

  async release(): Promise<void> {
    this.#follower?.leave()
    await this.#syncing
    await this.#file.close()
    if (this.#syncProblem !== undefined) throw this.#syncProblem // the next who opens the file is not told
  }
}

/** What is left of some pieces after the first `count` bytes: a short write is legal. */
function after(pieces: Buffer[], count: number): Buffer[] {
  let skip = count
  return pieces.flatMap((piece) => {
    const from = Math.min(skip, piece.length)
    skip -= from
    return from === piece.length ? [] : [piece.subarray(from)]
  })
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

function checkedKey(key: string): string {
  if (!/^[0-9a-f]{32}$/.test(key)) throw new LazaretError('INTERNAL', `not an object key: ${key.slice(0, 40)}`)
  return key
}

function missing(cause: unknown, code: 'BLOB_UNKNOWN' | 'BLOB_UPLOAD_UNKNOWN'): never {
  if ((cause as NodeJS.ErrnoException).code === 'ENOENT') throw new LazaretError(code, 'its bytes are not in the store', { cause })
  throw cause
}
