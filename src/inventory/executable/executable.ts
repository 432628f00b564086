import { elfOf } from './elf.ts'
import { machoOf } from './macho.ts'
import { peOf } from './pe.ts'

/** A part of a program as it lies in the file, and where it is loaded. */
export interface Segment {
  address: number
  offset: number
  sizeBytes: number
  writable: boolean
  executable: boolean
}

export interface Section {
  name: string
  offset: number
  sizeBytes: number
}

export interface Executable {
  format: 'elf' | 'mach-o' | 'pe'
  bigEndian: boolean
  /** Those that the head of the file tells; none where their table stands elsewhere. */
  segments: Segment[]
  /** Of Mach-O and PE, whose head tells them. */
  sections: Section[]
  /** Of ELF: where the table of its sections stands, mostly at the end. */
  sectionTable?: { offset: number; entryBytes: number; count: number; namesIndex: number; is64: boolean }
}

/**
 * In: the first bytes of a file. Out: what they tell of a program, or undefined where it is none. What the head claims is
 * a claim: offsets and sizes may lie beyond the file. Throws nothing.
 */
export function executableOf(head: Buffer): Executable | undefined {
  if (head.length < 64) return undefined
  switch (head.readUInt32BE(0)) {
    case 0x7f454c46:
      return elfOf(head)
    case 0xfeedface:
    case 0xfeedfacf:
    case 0xcefaedfe:
    case 0xcffaedfe:
      return machoOf(head)
    default:
      return head.readUInt16BE(0) === 0x4d5a ? peOf(head) : undefined
  }
}

/** Out: the part of the file that holds all writable segments; all of it where none is told. */
export function dataRange({ segments }: Executable): { from: number; to: number } {
  const writable = segments.filter((segment) => segment.writable)
  if (writable.length === 0) return { from: 0, to: Number.POSITIVE_INFINITY }
  return {
    from: Math.min(...writable.map(({ offset }) => offset)),
    to: Math.max(...writable.map(({ offset, sizeBytes }) => offset + sizeBytes)),
  }
}

/** Out: where the code ends, or 0 where that is not told. What is not loaded, such as names of sections, stands behind it. */
export function endOfCode({ format, segments }: Executable): number {
  if (format !== 'elf') return 0
  return Math.max(0, ...segments.flatMap(({ executable, offset, sizeBytes }) => (executable ? [offset + sizeBytes] : [])))
}

/** In: an address of the loaded program. Out: where in the file that byte stands; undefined where no segment has it. */
export function offsetOf({ segments }: Executable, address: number): number | undefined {
  const segment = segments.find((some) => address >= some.address && address < some.address + some.sizeBytes)
  return segment === undefined ? undefined : segment.offset + address - segment.address
}
