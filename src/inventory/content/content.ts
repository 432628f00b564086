/** The bytes of a file or of a part of one, read at any place, without holding all of them. */
export interface Content {
  readonly sizeBytes: number
  /** Out: exactly so many bytes, not to be changed. Throws RangeError where there are not so many. */
  read(from: number, length: number): Buffer
}

export function contentOf(bytes: Buffer): Content {
  return {
    sizeBytes: bytes.length,
    read: (from, length) => {
      checkRange(from, length, bytes.length)
      return bytes.subarray(from, from + length)
    },
  }
}

/** In: a range that lies within the content. Out: that part as one of its own; nothing is copied. Throws RangeError. */
export function partOf(content: Content, start: number, sizeBytes: number): Content {
  checkRange(start, sizeBytes, content.sizeBytes)
  return {
    sizeBytes,
    read: (from, length) => {
      checkRange(from, length, sizeBytes)
      return content.read(start + from, length)
    },
  }
}

const piece = 1024 * 1024

/** In: content. Out: its bytes in order, in pieces of at most 1 MiB. */
export function* piecesOf(content: Content): Generator<Buffer> {
  for (let at = 0; at < content.sizeBytes; at += piece) yield content.read(at, Math.min(piece, content.sizeBytes - at))
}

export function checkRange(from: number, length: number, sizeBytes: number): void {
  if (Number.isSafeInteger(from) && Number.isSafeInteger(length) && from >= 0 && length >= 0 && from + length <= sizeBytes) return
  throw new RangeError(`${length} bytes from byte ${from} on are asked of ${sizeBytes}`)
}
