import type { Executable, Section, Segment } from './executable.ts'
import { Numbers, textAt } from './numbers.ts'

const segment32 = 0x1
const segment64 = 0x19
const writableFlag = 2
const executableFlag = 4
const mostCommands = 256
const mostSections = 64

/** In: a head that starts with Mach-O's magic. Out: its segments and sections. mach-o/loader.h. */
export function machoOf(head: Buffer): Executable {
  const bigEndian = head[0] === 0xfe
  const is64 = (bigEndian ? head[3] : head[0]) === 0xcf
  const numbers = new Numbers(head, bigEndian)
  const found: Executable = { format: 'mach-o', bigEndian, segments: [], sections: [] }
  let at = is64 ? 32 : 28
  for (let count = Math.min(numbers.u32(16), mostCommands); count > 0; count--) {
    const command = numbers.u32(at)
    const sizeBytes = numbers.u32(at + 4)
    if (Number.isNaN(sizeBytes) || sizeBytes < 8) break
    if (command === (is64 ? segment64 : segment32)) {
      const segment = segmentAt(numbers, at, is64)
      if (segment !== undefined) found.segments.push(segment)
      found.sections.push(...sectionsAt(head, numbers, at, is64))
    }
    at += sizeBytes
  }
  return found
}

function segmentAt(numbers: Numbers, at: number, is64: boolean): Segment | undefined {
  const segment = {
    address: numbers.word(at + 24, is64),
    offset: numbers.word(at + (is64 ? 40 : 32), is64),
    sizeBytes: numbers.word(at + (is64 ? 48 : 36), is64),
    writable: (numbers.u32(at + (is64 ? 60 : 44)) & writableFlag) !== 0,
    executable: (numbers.u32(at + (is64 ? 60 : 44)) & executableFlag) !== 0,
  }
  return Number.isNaN(segment.offset + segment.address + segment.sizeBytes) ? undefined : segment
}

function sectionsAt(head: Buffer, numbers: Numbers, at: number, is64: boolean): Section[] {
  const first = at + (is64 ? 72 : 56)
  const entryBytes = is64 ? 80 : 68
  const sections: Section[] = []
  for (let index = 0; index < Math.min(numbers.u32(at + (is64 ? 64 : 48)), mostSections); index++) {
    const from = first + index * entryBytes
    const offset = numbers.u32(from + (is64 ? 48 : 40))
    const sizeBytes = numbers.word(from + (is64 ? 40 : 36), is64)
    if (Number.isNaN(offset + sizeBytes)) break
    sections.push({ name: textAt(head, from, from + 16), offset, sizeBytes })
  }
  return sections
}
