import type { TarHeader } from './header.ts'

export type TarType = 'file' | 'directory' | 'symlink' | 'hardlink' | 'character' | 'block' | 'fifo' | 'unknown'

export interface TarEntry {
  /** As the archive spells it: see paths.ts. */
  name: string
  linkName: string
  type: TarType
  /** The type flag itself, for messages. */
  flag: string
  mode: number
  uid: number
  gid: number
  /** Of the file as it is unpacked: a sparse one with its holes. */
  sizeBytes: number
  /** Seconds since 1970. */
  mtime: number
  /** Where the entry's own header starts in the tar. */
  offset: number
  sparse: boolean
}

/** What a reader tells, in this order for each entry: `entry`, `data` as often as need be, `end`. */
export interface TarHandler {
  entry(entry: TarEntry): void
  data(bytes: Buffer): void
  end(): void
}

const types: Record<string, TarType> = {
  '\0': 'file',
  '0': 'file',
  '1': 'hardlink',
  '2': 'symlink',
  '3': 'character',
  '4': 'block',
  '5': 'directory',
  '6': 'fifo',
  '7': 'file',
  S: 'file',
}

/** An old regular file whose name ends in a slash is a folder. */
export function typeOf(header: TarHeader): TarType {
  if (header.flag === '\0' && header.name.endsWith('/')) return 'directory'
  return types[header.flag] ?? 'unknown'
}

/** Only these have bytes; the size that another type states counts for nothing. */
export function storedBytesOf(header: TarHeader): number {
  const type = typeOf(header)
  return type === 'file' || type === 'unknown' ? header.sizeBytes : 0
}
