import { blockBytes } from './header.ts'

export interface TarMember {
  path: string
  flag: '0' | '1' | '2' | '3' | '4' | '5' | '6'
  mode: number
  uid: number
  gid: number
  sizeBytes: number
  mtime: number
  link?: string
}

const maxOctal = { 8: 0o7777777, 12: 0o77777777777 } as const

/**
 * In: what an entry should say. Out: its header, with a PAX header before it where ustar has no room for the name, the
 * link or a number. The bytes and `paddingFor` them follow. POSIX.1-2017 pax.
 */
export function tarHeader(member: TarMember): Buffer {
  const records = [
    ...(fits(member.path) ? [] : [record('path', member.path)]),
    ...(fits(member.link ?? '') ? [] : [record('linkpath', member.link ?? '')]),
    ...(member.sizeBytes <= maxOctal[12] ? [] : [record('size', String(member.sizeBytes))]),
    ...(isOctal(member.mtime, 12) ? [] : [record('mtime', String(member.mtime))]),
    ...(isOctal(member.uid, 8) ? [] : [record('uid', String(member.uid))]),
    ...(isOctal(member.gid, 8) ? [] : [record('gid', String(member.gid))]),
  ]
  const header = ustar({ ...member, path: cut(member.path), link: cut(member.link ?? '') })
  if (records.length === 0) return header
  const pax = Buffer.concat(records)
  const paxHeader = ustar({ path: 'PaxHeader', flag: 'x', mode: 0o644, uid: 0, gid: 0, sizeBytes: pax.length, mtime: 0, link: '' })
  return Buffer.concat([paxHeader, pax, paddingFor(pax.length), header])
}

export function paddingFor(sizeBytes: number): Buffer {
  return Buffer.alloc((blockBytes - (sizeBytes % blockBytes)) % blockBytes)
}

export function tarEnd(): Buffer {
  return Buffer.alloc(2 * blockBytes)
}

function ustar(member: Omit<TarMember, 'flag'> & { flag: string }): Buffer {
  const block = Buffer.alloc(blockBytes)
  block.write(member.path, 0, 'utf8')
  writeOctal(block, member.mode, 100, 8)
  writeOctal(block, member.uid, 108, 8)
  writeOctal(block, member.gid, 116, 8)
  writeOctal(block, member.sizeBytes, 124, 12)
  writeOctal(block, member.mtime, 136, 12)
  block.write(' '.repeat(8), 148)
  block.write(member.flag, 156)
  block.write(member.link ?? '', 157, 'utf8')
  block.write('ustar\u000000', 257)
  block.write(
    `${block
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, '0')}\0 `,
    148,
  )
  return block
}

function writeOctal(block: Buffer, value: number, at: number, width: 8 | 12): void {
  const text = isOctal(value, width) ? value.toString(8) : '0'
  block.write(text.padStart(width - 1, '0'), at)
}

function isOctal(value: number, width: 8 | 12): boolean {
  return value >= 0 && value <= maxOctal[width]
}

function fits(name: string): boolean {
  return Buffer.byteLength(name) <= 100
}

function cut(name: string): string {
  return fits(name)
    ? name
    : Buffer.from(name)
        .subarray(0, 90)
        .toString('latin1')
        .replaceAll(/[^ -~]/g, '_')
}

/** The length counts its own digits. */
function record(key: string, value: string): Buffer {
  const rest = Buffer.byteLength(` ${key}=${value}\n`)
  let length = rest
  while (rest + String(length).length !== length) length = rest + String(length).length
  return Buffer.from(`${length} ${key}=${value}\n`)
}
