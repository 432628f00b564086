import { createHash } from 'node:crypto'
import { read } from 'node:fs'
import { promisify } from 'node:util'
import { LazaretError } from '../../kit/errors.ts'

const pieceBytes = 1024 * 1024
const readAt = promisify(read)

/**
 * In: an open file and a part of it. Out: the hash of its bytes, in hex. A stream of fresh buffers takes twice the time of the hashing:
 * here two are used again and again, and one is read while the other is hashed. Throws UNREADABLE where the file is shorter.
 */
export async function hashOfPart(fd: number, part: { start: number; sizeBytes: number }, algorithm: string): Promise<string> {
  const hash = createHash(algorithm)
  const end = part.start + part.sizeBytes
  let [here, there] = [Buffer.allocUnsafe(pieceBytes), Buffer.allocUnsafe(pieceBytes)]
  let at = part.start
  let reading = readAt(fd, here, 0, Math.min(pieceBytes, end - at), at)
  while (at < end) {
    const { bytesRead } = await reading
    if (bytesRead === 0) throw new LazaretError('UNREADABLE', 'the file became shorter while it was read')
    at += bytesRead
    reading = readAt(fd, there, 0, Math.min(pieceBytes, end - at), at)
    hash.update(here.subarray(0, bytesRead))
    ;[here, there] = [there, here]
  }
  await reading
  return hash.digest('hex')
}
