export type Compression = 'none' | 'gzip' | 'zstd' | 'bzip2' | 'xz'

const magicBytes = 10

export interface Sniffed {
  compression: Compression
  /** The same bytes again from the start. */
  replay: AsyncIterable<Buffer>
  /** Closes the source where `replay` will not be read. */
  discard(): Promise<void>
}

/** Reads just enough to name the compression. In: the stored bytes. */
export async function sniff(source: AsyncIterable<Uint8Array>): Promise<Sniffed> {
  const iterator = source[Symbol.asyncIterator]()
  const held: Buffer[] = []
  let heldBytes = 0
  while (heldBytes < magicBytes) {
    const next = await iterator.next()
    if (next.done === true) break
    held.push(asBuffer(next.value))
    heldBytes += next.value.length
  }
  const discard = async () => void (await iterator.return?.())
  return { compression: compressionOf(Buffer.concat(held)), replay: replayOf(held, iterator), discard }
}

/** The magic numbers: RFC 1952, section 2.3.1; RFC 8878, sections 3.1.1 and 3.1.2; the formats of bzip2 and xz. */
export function compressionOf(head: Buffer): Compression {
  if (startsWith(head, 0x1f, 0x8b, 0x08)) return 'gzip'
  if (startsWith(head, 0x28, 0xb5, 0x2f, 0xfd) || isSkippableFrame(head)) return 'zstd'
  if (head.toString('latin1', 0, 3) === 'BZh' && head.toString('hex', 4, 10) === '314159265359') return 'bzip2'
  if (startsWith(head, 0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00)) return 'xz'
  return 'none'
}

function isSkippableFrame(head: Buffer): boolean {
  return head.length >= 4 && (head.readUInt32LE(0) & 0xfffffff0) >>> 0 === 0x184d2a50
}

function startsWith(head: Buffer, ...magic: number[]): boolean {
  return magic.every((byte, at) => head[at] === byte)
}

async function* replayOf(held: Buffer[], iterator: AsyncIterator<Uint8Array>): AsyncGenerator<Buffer> {
  try {
    yield* held
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) yield asBuffer(next.value)
  } finally {
    await iterator.return?.()
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
