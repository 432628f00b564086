import { closeSync, openSync, readSync } from 'node:fs'
import { RandomAccessReader } from 'yauzl'

const windowBytes = 1024 * 1024
const mostWindows = 8

/**
 * A file read in pieces of 1 MiB, of which the last few are held: a zip with a hundred thousand entries is asked for a few
 * bytes at a time, here, there and in its directory.
 */
export class WindowedFile extends RandomAccessReader {
  private readonly descriptor: number
  private readonly windows = new Map<number, Buffer>()

  constructor(path: string) {
    super()
    this.descriptor = openSync(path, 'r')
  }

  override read(buffer: Buffer, offset: number, length: number, position: number, callback: (error: Error | null) => void): void {
    let failed: Error | null = null
    try {
      this.bytes(position, length).copy(buffer, offset)
    } catch (error) {
      failed = error as Error
    }
    // Answered later, as the reader expects; never from within its own call.
    queueMicrotask(() => callback(failed))
  }

  /** Throws where the file ends before. */
  bytes(position: number, length: number): Buffer {
    const start = position % windowBytes
    const first = this.window(position - start)
    if (start + length <= first.length) return first.subarray(start, start + length)
    const all = Buffer.allocUnsafe(length)
    for (let done = 0; done < length; ) {
      const got = readSync(this.descriptor, all, done, length - done, position + done)
      if (got === 0) throw new Error('the file ends too early')
      done += got
    }
    return all
  }

  override close(callback: (error: Error | null) => void): void {
    closeSync(this.descriptor)
    queueMicrotask(() => callback(null))
  }

  private window(from: number): Buffer {
    const held = this.windows.get(from)
    if (held !== undefined) return held
    const buffer = Buffer.allocUnsafe(windowBytes)
    let size = 0
    for (let got = -1; got !== 0 && size < windowBytes; size += got)
      got = readSync(this.descriptor, buffer, size, windowBytes - size, from + size)
    const window = buffer.subarray(0, size)
    this.windows.set(from, window)
    if (this.windows.size > mostWindows) this.windows.delete(this.windows.keys().next().value as number)
    return window
  }
}
