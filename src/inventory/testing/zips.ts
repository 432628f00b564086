// For tests only: small zips, as PKWARE's APPNOTE draws them.
import { crc32, deflateRawSync } from 'node:zlib'

/** A name, its content, and how it is packed: deflated where that is not said. */
export type ZipMember = [name: string, content: string | Buffer, packing?: 'stored' | 'deflated']

/** In: members in order. Out: a zip of them. */
export function zipOf(files: ZipMember[]): Buffer {
  const parts: Buffer[] = []
  const directory: Buffer[] = []
  let at = 0
  for (const [name, content, packing] of files) {
    const { head, entry, packed } = entryOf(Buffer.from(name), Buffer.from(content), packing === 'stored' ? 0 : 8, at)
    parts.push(head, packed)
    directory.push(entry)
    at += head.length + packed.length
  }
  const listed = Buffer.concat(directory)
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(files.length, 8)
  end.writeUInt16LE(files.length, 10)
  end.writeUInt32LE(listed.length, 12)
  end.writeUInt32LE(at, 16)
  return Buffer.concat([...parts, listed, end])
}

function entryOf(name: Buffer, bytes: Buffer, method: 0 | 8, at: number): { head: Buffer; entry: Buffer; packed: Buffer } {
  const packed = method === 0 ? bytes : deflateRawSync(bytes)
  const common = Buffer.alloc(26)
  common.writeUInt16LE(20, 0)
  common.writeUInt16LE(method, 4)
  common.writeUInt32LE(crc32(bytes), 10)
  common.writeUInt32LE(packed.length, 14)
  common.writeUInt32LE(bytes.length, 18)
  common.writeUInt16LE(name.length, 22)
  const tail = Buffer.alloc(14)
  tail.writeUInt32LE(at, 10)
  return {
    head: Buffer.concat([Buffer.from('PK\u0003\u0004'), common, name]),
    entry: Buffer.concat([Buffer.from('PK\u0001\u0002\u0014\u0000'), common, tail, name]),
    packed,
  }
}
