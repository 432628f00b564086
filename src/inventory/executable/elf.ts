import type { Executable, Segment } from './executable.ts'
import { Numbers } from './numbers.ts'

const loadable = 1
const executableFlag = 1
const writableFlag = 2
/** Real programs have about ten. */
const mostSegments = 128

/** In: a head that starts with ELF's magic. Out: its loadable segments, and where its sections are told. elf(5). */
export function elfOf(head: Buffer): Executable | undefined {
  const is64 = head[4] === 2
  const bigEndian = head[5] === 2
  if ((head[4] !== 1 && !is64) || (head[5] !== 1 && !bigEndian)) return undefined
  const numbers = new Numbers(head, bigEndian)
  const counts = is64 ? 54 : 42
  return {
    format: 'elf',
    bigEndian,
    segments: segmentsOf(numbers, is64, numbers.word(is64 ? 32 : 28, is64), numbers.u16(counts), numbers.u16(counts + 2)),
    sections: [],
    sectionTable: {
      offset: numbers.word(is64 ? 40 : 32, is64),
      entryBytes: numbers.u16(counts + 4),
      count: numbers.u16(counts + 6),
      namesIndex: numbers.u16(counts + 8),
      is64,
    },
  }
}

function segmentsOf(numbers: Numbers, is64: boolean, from: number, entryBytes: number, count: number): Segment[] {
  const segments: Segment[] = []
  for (let index = 0; index < Math.min(count, mostSegments); index++) {
    const at = from + index * entryBytes
    if (numbers.u32(at) !== loadable) continue
    const segment = {
      offset: numbers.word(at + (is64 ? 8 : 4), is64),
      address: numbers.word(at + (is64 ? 16 : 8), is64),
      sizeBytes: numbers.word(at + (is64 ? 32 : 16), is64),
      writable: (numbers.u32(at + (is64 ? 4 : 24)) & writableFlag) !== 0,
      executable: (numbers.u32(at + (is64 ? 4 : 24)) & executableFlag) !== 0,
    }
    if (!Number.isNaN(segment.offset + segment.address + segment.sizeBytes)) segments.push(segment)
  }
  return segments
}
