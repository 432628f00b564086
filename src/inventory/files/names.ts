const chunkBits = 20
const chunkBytes = 1 << chunkBits
const firstBytes = 1 << 13

/** Texts as bytes, one after the other: as strings they would take some five times the room. A text is at most a chunk long. */
export class Names {
  readonly #chunks: Buffer[] = []
  #end = 0

  /** Of all texts, in bytes. */
  get sizeBytes(): number {
    return this.#end
  }

  /** In: bytes that are copied, and a second text where there is one. Out: where they stand. Throws a RangeError past a chunk or 4 GiB. */
  add(name: Uint8Array, length: number, second?: string): number {
    const secondBytes = second === undefined ? 0 : Buffer.byteLength(second)
    const needed = lengthBytes(length) + length + (second === undefined ? 0 : lengthBytes(secondBytes) + secondBytes)
    if (needed > chunkBytes) throw new RangeError(`a name of ${needed} bytes is longer than the ${chunkBytes} that are kept of one`)
    if ((this.#end & (chunkBytes - 1)) + needed > chunkBytes || this.#chunks.length << chunkBits === this.#end) this.#grow()
    if (this.#chunks.length === 1) this.#growFirst(this.#end + needed)
    const start = this.#end
    const chunk = this.#chunkOf(start)
    let at = writeLength(chunk, start & (chunkBytes - 1), length)
    for (let from = 0; from < length; from++) chunk[at++] = name[from] as number
    if (second !== undefined) chunk.write(second, writeLength(chunk, at, secondBytes), 'utf8')
    this.#end = start + needed
    return start
  }

  #grow(): void {
    this.#end = this.#chunks.length * chunkBytes
    if (this.#end >= 2 ** 32) throw new RangeError('names of more than 4 GiB')
    this.#chunks.push(Buffer.allocUnsafeSlow(this.#chunks.length === 0 ? firstBytes : chunkBytes))
  }

  /** Most layers are small. */
  #growFirst(bytes: number): void {
    const before = this.#chunks[0] as Buffer
    if (before.length >= bytes) return
    const grown = Buffer.allocUnsafeSlow(Math.min(chunkBytes, Math.max(before.length * 2, bytes)))
    before.copy(grown)
    this.#chunks[0] = grown
  }

  first(start: number): string {
    const { from, to } = this.#place(start)
    return this.#chunkOf(start).toString('utf8', from, to)
  }

  second(start: number): string {
    const { to } = this.#place(start)
    const chunk = this.#chunkOf(start)
    const { from, length } = readLength(chunk, to)
    return chunk.toString('utf8', from, from + length)
  }

  equals(start: number, name: Uint8Array, length: number): boolean {
    const chunk = this.#chunkOf(start)
    const at = start & (chunkBytes - 1)
    const own = readLength(chunk, at)
    if (own.length !== length) return false
    for (let byte = 0; byte < length; byte++) if (chunk[own.from + byte] !== name[byte]) return false
    return true
  }

  /** Copies the first text. Out: its length. */
  copy(start: number, target: Buffer): number {
    const { from, to } = this.#place(start)
    return this.#chunkOf(start).copy(target, 0, from, to)
  }

  #place(start: number): { from: number; to: number } {
    const { from, length } = readLength(this.#chunkOf(start), start & (chunkBytes - 1))
    return { from, to: from + length }
  }

  #chunkOf(start: number): Buffer {
    return this.#chunks[Math.floor(start / chunkBytes)] as Buffer
  }
}

/** Seven bits a byte, the lowest first; the top bit says that more follow. */
function lengthBytes(length: number): number {
  return length < 0x80 ? 1 : length < 0x4000 ? 2 : 3
}

function writeLength(chunk: Buffer, at: number, length: number): number {
  let left = length
  let to = at
  while (left > 0x7f) {
    chunk[to++] = (left & 0x7f) | 0x80
    left >>>= 7
  }
  chunk[to++] = left
  return to
}

function readLength(chunk: Buffer, at: number): { from: number; length: number } {
  let length = 0
  let from = at
  for (let shift = 0; ; shift += 7) {
    const byte = chunk[from++] as number
    length |= (byte & 0x7f) << shift
    if (byte < 0x80) return { from, length }
  }
}
