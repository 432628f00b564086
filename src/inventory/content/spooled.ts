import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkRange } from './content.ts'
import type { Content } from './content.ts'

/** A layer that is given up half-way forgets its files. */
const forgotten = new FinalizationRegistry<number>((fd) => closeSync(fd))

/**
 * Bytes laid down in a file that has no name any more: it is gone when it is closed, or when the process ends however it
 * ends. The folder is the system's for such files (TMPDIR). Every method throws what the file system throws.
 */
export class SpooledFile implements Content {
  sizeBytes = 0
  readonly #fd = openNameless()
  /** After this, all is zeros. */
  #writtenTo = 0
  #isOpen = true

  constructor() {
    forgotten.register(this, this.#fd, this)
  }

  /** What is all zeros becomes a hole: a sparse file, or a bomb of them, takes no room on the disk. */
  append(bytes: Buffer): void {
    if (!isZeros(bytes)) this.#write(bytes)
    this.sizeBytes += bytes.length
  }

  #write(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; ) at += writeSync(this.#fd, bytes, at, bytes.length - at, this.sizeBytes + at)
    this.#writtenTo = this.sizeBytes + bytes.length
  }

  read(from: number, length: number): Buffer {
    checkRange(from, length, this.sizeBytes)
    const bytes = Buffer.alloc(length)
    const end = Math.min(length, this.#writtenTo - from)
    for (let at = 0; at < end; ) {
      const got = readSync(this.#fd, bytes, at, end - at, from + at)
      if (got === 0) throw new RangeError(`a spooled file of ${this.sizeBytes} bytes ended at byte ${from + at}`)
      at += got
    }
    return bytes
  }

  /** May be called again. */
  close(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    forgotten.unregister(this)
    closeSync(this.#fd)
  }
}

const zeros = Buffer.alloc(64 * 1024)

function isZeros(bytes: Buffer): boolean {
  for (let at = 0; at < bytes.length; at += zeros.length) {
    const part = bytes.subarray(at, at + zeros.length)
    if (!part.equals(zeros.subarray(0, part.length))) return false
  }
  return true
}

function openNameless(): number {
  const folder = mkdtempSync(join(tmpdir(), 'lazaret-'))
  try {
    return openSync(join(folder, 'spooled'), constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o600)
  } finally {
    rmSync(folder, { recursive: true })
  }
}
