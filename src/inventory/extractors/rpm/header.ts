import { decodeName } from '../../tar/text.ts'

/** rpm's own limits: lib/header.c, `hdrchkTags` and `hdrchkData`. */
const maxTags = 0xffff
const maxDataBytes = 0x0fffffff

const int32 = 4
const string = 6
const stringArray = 8
const i18nString = 9

interface Entry {
  type: number
  offset: number
  count: number
}

/**
 * One package header as the database keeps it: big-endian `il` and `dl`, then `il` entries of 16 bytes
 * {tag, type, offset, count}, then `dl` bytes of data. rpm.org, "RPM Package File Structure", "Header format".
 * A tag may stand twice: what was added at the installation comes last, and counts.
 */
export class Header {
  readonly #data: Buffer
  readonly #entries: ReadonlyMap<number, Entry>

  /** In: the bytes of one header; they must outlive it. Throws RangeError where the counts do not fit the bytes. */
  constructor(bytes: Buffer) {
    if (bytes.length < 8) throw new RangeError(`a header of ${bytes.length} bytes`)
    const tags = bytes.readUInt32BE(0)
    const dataBytes = bytes.readUInt32BE(4)
    if (tags === 0 || tags > maxTags) throw new RangeError(`a header of ${tags} tags`)
    if (dataBytes > maxDataBytes) throw new RangeError(`a header with ${dataBytes} bytes of data`)
    const start = 8 + 16 * tags
    if (start + dataBytes > bytes.length) {
      throw new RangeError(`a header of ${bytes.length} bytes that says it has ${start + dataBytes}`)
    }
    this.#data = bytes.subarray(start, start + dataBytes)
    this.#entries = entriesOf(bytes, tags)
  }

  has(tag: number): boolean {
    return this.#entries.has(tag)
  }

  /** Out: a text, the first of several; undefined where the tag is absent. Throws RangeError where it is none or ends nowhere. */
  text(tag: number): string | undefined {
    const entry = this.#entry(tag, [string, stringArray, i18nString])
    if (entry === undefined) return undefined
    return decodeName(this.#data.subarray(entry.offset, this.#endOfText(tag, entry.offset)))
  }

  /** Out: all texts of a list; none where the tag is absent. Throws RangeError where there are fewer than it says. */
  *texts(tag: number): Generator<string> {
    const entry = this.#entry(tag, [string, stringArray, i18nString])
    let at = entry?.offset ?? 0
    for (let left = entry?.count ?? 0; left > 0; left--) {
      const end = this.#endOfText(tag, at)
      yield decodeName(this.#data.subarray(at, end))
      at = end + 1
    }
  }

  /** Out: numbers without a sign, none where the tag is absent. Throws RangeError where they do not fit the data. */
  numbers(tag: number): Uint32Array {
    const entry = this.#entry(tag, [int32])
    if (entry === undefined) return new Uint32Array(0)
    if (entry.count * 4 > this.#data.length - entry.offset) throw new RangeError(`tag ${tag} has ${entry.count} numbers, more than fit`)
    const numbers = new Uint32Array(entry.count)
    for (let at = 0; at < entry.count; at++) numbers[at] = this.#data.readUInt32BE(entry.offset + 4 * at)
    return numbers
  }

  #entry(tag: number, types: readonly number[]): Entry | undefined {
    const entry = this.#entries.get(tag)
    if (entry === undefined) return undefined
    if (!types.includes(entry.type)) throw new RangeError(`tag ${tag} is of type ${entry.type}`)
    if (entry.count === 0 || entry.offset >= this.#data.length) throw new RangeError(`tag ${tag} lies outside of its header`)
    return entry
  }

  #endOfText(tag: number, from: number): number {
    const end = from < this.#data.length ? this.#data.indexOf(0, from) : -1
    if (end < 0) throw new RangeError(`tag ${tag} has a text that does not end`)
    return end
  }
}

function entriesOf(bytes: Buffer, tags: number): Map<number, Entry> {
  const entries = new Map<number, Entry>()
  for (let at = 8; at < 8 + 16 * tags; at += 16) {
    entries.set(bytes.readUInt32BE(at), {
      type: bytes.readUInt32BE(at + 4),
      offset: bytes.readUInt32BE(at + 8),
      count: bytes.readUInt32BE(at + 12),
    })
  }
  return entries
}
