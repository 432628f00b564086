// What the Go linker writes into every program since 1.13: the toolchain's version and the list of modules.
// cmd/link/internal/ld/data.go, (*Link).buildinfo; debug/buildinfo reads it the same way.

/** The blob starts with these 14 bytes, at an address that 16 divides. */
export const buildInfoMagic = Buffer.from('\xff Go buildinf:', 'latin1')
export const headerBytes = 32

/** The longest list of modules that is believed; that of Kubernetes has 40 KiB. */
export const maxModuleBytes = 4 * 1024 * 1024
const maxVersionBytes = 1024

export interface BuildInfo {
  version: string
  /** Lines; empty where the program was built without modules. */
  modules: string
}

/** Before Go 1.18: addresses of two Go strings, each a pointer and a length. */
export interface Pointers {
  pointerBytes: 4 | 8
  bigEndian: boolean
  version: number
  modules: number
}

export type Parsed = { info: BuildInfo } | { pointers: Pointers } | { needBytes: number } | undefined

/** In: bytes from the magic on. Out: what they say, or how many bytes that takes; undefined where it is no build info. */
export function parseBuildInfo(bytes: Buffer): Parsed {
  if (bytes.length < headerBytes) return { needBytes: headerBytes }
  const flags = bytes[15] ?? 0
  if ((flags & 2) === 0) return pointersOf(bytes, (flags & 1) !== 0)
  const version = stringAt(bytes, headerBytes, maxVersionBytes)
  if (version === undefined || 'needBytes' in version) return version
  if (!isVersion(version.bytes.toString('latin1'))) return undefined
  const modules = stringAt(bytes, version.end, maxModuleBytes)
  if (modules === undefined || 'needBytes' in modules) return modules
  return { info: infoOf(version.bytes, modules.bytes) }
}

export function isVersion(text: string): boolean {
  return /^(?:go\d|devel )/.test(text)
}

/** The list of modules stands between two marks of 16 bytes each, by which debuggers find it. */
export function infoOf(version: Buffer, modules: Buffer): BuildInfo {
  const isMarked = modules.length >= 33 && modules[modules.length - 17] === 0x0a
  return { version: version.toString('utf8'), modules: isMarked ? modules.subarray(16, -16).toString('utf8') : '' }
}

function pointersOf(bytes: Buffer, bigEndian: boolean): Parsed {
  const pointerBytes = bytes[14]
  if (pointerBytes !== 4 && pointerBytes !== 8) return undefined
  return {
    pointers: {
      pointerBytes,
      bigEndian,
      version: pointerAt(bytes, 16, pointerBytes, bigEndian),
      modules: pointerAt(bytes, 16 + pointerBytes, pointerBytes, bigEndian),
    },
  }
}

/** Out: NaN where it is no address that a program can have. */
export function pointerAt(bytes: Buffer, at: number, pointerBytes: 4 | 8, bigEndian: boolean): number {
  if (at + pointerBytes > bytes.length) return NaN
  if (pointerBytes === 4) return bigEndian ? bytes.readUInt32BE(at) : bytes.readUInt32LE(at)
  const value = Number(bigEndian ? bytes.readBigUInt64BE(at) : bytes.readBigUInt64LE(at))
  return Number.isSafeInteger(value) ? value : NaN
}

/** A length as an unsigned varint, and as many bytes. */
function stringAt(bytes: Buffer, at: number, maxBytes: number): { bytes: Buffer; end: number } | { needBytes: number } | undefined {
  let length = 0
  let from = at
  for (let shift = 1; ; shift *= 128) {
    const byte = bytes[from++]
    if (byte === undefined) return { needBytes: from }
    length += (byte & 0x7f) * shift
    if (length > maxBytes || from - at > 4) return undefined
    if (byte < 0x80) break
  }
  const end = from + length
  return end > bytes.length ? { needBytes: end } : { bytes: bytes.subarray(from, end), end }
}
