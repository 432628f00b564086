import { createHash, randomUUID, type Hash } from 'node:crypto'
import { closeSync, constants, fstatSync, futimesSync, lstatSync, openSync, readFileSync, rmSync } from 'node:fs'
import { mkdir, open, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { constants as zlib, createZstdCompress, createZstdDecompress } from 'node:zlib'
import { messageOf } from '../../../kit/errors.ts'
import { attempt, draftPrefix, faultOf, isOfSystem, type Say } from './folder.ts'
import { trimEntries } from './trim.ts'

/**
 * What is kept between runs, each under a name, in a folder that is the user's alone:
 *   NAME    magic line with the name · zstd of lines of JSON · SHA-256 of all before it
 * An entry is written under another name and moved whole, so runs may go on side by side; what is not as it was written is a
 * miss. Nothing here may keep a scan from its end: where the folder can't be used, that is told, and all is a miss.
 */
export interface Entries {
  has(name: string): boolean
  /** Its lines; undefined where there is none. */
  get(name: string): AsyncIterable<string> | undefined
  /** Throws what the lines throw. */
  put(name: string, lines: Iterable<string>): Promise<void>
  /** Lets the oldest used leave where something was added. */
  close(): Promise<void>
}

export interface EntryLimits {
  entryBytes: number
  folderBytes: number
}

export const entryLimits: EntryLimits = { entryBytes: 128 * 1024 * 1024, folderBytes: 512 * 1024 * 1024 }

const hashBytes = 32
/** A use is marked in the file's own time, once an hour. */
const markEveryMs = 3_600_000
const mostLineBytes = 64 * 1024 * 1024

/** In: the folder, which need not be there. Out: what is in it; undefined, and told, where it is another's or others may write to it. */
export function openEntries(folder: string, say: Say, limits: EntryLimits = entryLimits): Entries | undefined {
  const fault = faultOf(folder)
  if (fault !== undefined) {
    say(`what is known of layers is not used: ${fault}`, true)
    return undefined
  }
  let isWritable = true
  let wasAddedTo = false

  function discard(path: string, why: string): void {
    say(`${path} ${why}: it counts as not there, and is removed`, false)
    attempt(() => rmSync(path, { force: true }), say)
  }

  return {
    has: (name) => attempt(() => lstatSync(join(folder, name), { throwIfNoEntry: false }), say) !== undefined,
    get(name) {
      const path = join(folder, name)
      const bytes = attempt(() => readOwn(path, limits.entryBytes), say)
      if (bytes === undefined) return undefined
      const payload = typeof bytes === 'string' ? bytes : payloadOf(bytes, name)
      if (typeof payload !== 'string') return linesIn(payload)
      discard(path, payload)
      return undefined
    },
    async put(name, lines) {
      if (!isWritable) return
      const draft = join(folder, `${draftPrefix}${process.pid}-${randomUUID()}`)
      try {
        await mkdir(folder, { recursive: true, mode: 0o700 })
        if (await write(draft, name, lines, limits.entryBytes)) await rename(draft, join(folder, name))
        else say(`${name} is not kept: it is too large`, false)
        wasAddedTo = true
      } catch (error) {
        if (isTooLong(error)) return say(`${name} is not kept: it is too large`, false)
        if (!isOfSystem(error)) throw error
        isWritable = false
        say(`what was read can not be kept for the next time: ${messageOf(error)}`, true)
      } finally {
        attempt(() => rmSync(draft, { force: true }), say)
      }
    },
    async close() {
      if (wasAddedTo && isWritable) await trimEntries(folder, limits.folderBytes, say)
    },
  }
}

/** Out: the bytes of a file that is ours; a text says what is wrong with it; undefined where there is none. */
function readOwn(path: string, mostBytes: number): Buffer | string | undefined {
  let fd: number
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return undefined
    if (code === 'ELOOP') return 'is a link'
    throw error
  }
  try {
    const stats = fstatSync(fd)
    if (!stats.isFile()) return 'is no file'
    if (process.getuid !== undefined && stats.uid !== process.getuid()) return `belongs to the user with the id ${stats.uid}`
    if (stats.size > mostBytes) return `has more than ${mostBytes} bytes`
    const bytes = readFileSync(fd)
    if (Date.now() - stats.mtimeMs > markEveryMs) markUsed(fd)
    return bytes
  } finally {
    closeSync(fd)
  }
}

/** A folder that is mounted read-only keeps its order of uses. */
function markUsed(fd: number): void {
  try {
    futimesSync(fd, new Date(), new Date())
  } catch (error) {
    if (!['EROFS', 'EPERM', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
  }
}

function headOf(name: string): Buffer {
  return Buffer.from(`lazaret known 1 ${name}\n`)
}

/** Out: what lies between head and hash; a text says what is wrong. */
function payloadOf(bytes: Buffer, name: string): Buffer | string {
  const head = headOf(name)
  const end = bytes.length - hashBytes
  if (end < head.length) return 'is cut short'
  const hash = createHash('sha256').update(bytes.subarray(0, end)).digest()
  if (!hash.equals(bytes.subarray(end))) return 'is damaged'
  return bytes.subarray(0, head.length).equals(head) ? bytes.subarray(head.length, end) : 'holds another entry'
}

/** Its bytes are those that were written: what can't be undone here is a fault of ours, and is thrown. */
async function* linesIn(payload: Buffer): AsyncGenerator<string> {
  let rest: Buffer[] = []
  let restBytes = 0
  const decoder = createZstdDecompress({ chunkSize: 256 * 1024 })
  decoder.end(payload)
  for await (let chunk of decoder as AsyncIterable<Buffer>) {
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10)) {
      yield Buffer.concat([...rest, chunk.subarray(0, end)]).toString('utf8')
      rest = []
      restBytes = 0
      chunk = chunk.subarray(end + 1)
    }
    rest.push(chunk)
    restBytes += chunk.length
    if (restBytes > mostLineBytes) throw new Error(`a line of more than ${mostLineBytes} bytes in what was kept`)
  }
}

/** Out: whether it fits. */
async function write(path: string, name: string, lines: Iterable<string>, mostBytes: number): Promise<boolean> {
  const hash = createHash('sha256')
  const file = await open(path, 'wx', 0o600)
  try {
    let size = await append(file, headOf(name), hash)
    const packed = Readable.from(terminated(lines)).compose(
      createZstdCompress({ chunkSize: 256 * 1024, params: { [zlib.ZSTD_c_compressionLevel]: 1 } }),
    )
    for await (const chunk of packed as AsyncIterable<Buffer>) {
      size += await append(file, chunk, hash)
      if (size + hashBytes > mostBytes) return false
    }
    await file.writeFile(hash.digest())
    return true
  } finally {
    await file.close()
  }
}

async function append(file: { writeFile(bytes: Buffer): Promise<void> }, bytes: Buffer, hash: Hash): Promise<number> {
  hash.update(bytes)
  await file.writeFile(bytes)
  return bytes.length
}

function* terminated(lines: Iterable<string>): Generator<string> {
  for (const line of lines) {
    if (Buffer.byteLength(line) > mostLineBytes) throw new RangeError(tooLong)
    yield `${line}\n`
  }
}

/** V8's word for a text that it can't hold: lines may be longer than that before we look at them. */
const tooLong = 'Invalid string length'

function isTooLong(error: unknown): boolean {
  return error instanceof RangeError && error.message === tooLong
}
