import type { Executable, Section } from './executable.ts'
import { Numbers } from './numbers.ts'

/**
 * A section of an ELF program, found by where its name stands, so that the names need not be kept.
 * In: the program; the bytes of its table of sections; a name, and the offsets at which that name (and a NUL) went by.
 * Out: the section, or undefined where the table tells of none. elf(5).
 */
export function sectionNamed(program: Executable, table: Buffer, name: string, nameOffsets: readonly number[]): Section | undefined {
  if (program.sectionTable === undefined || nameOffsets.length === 0) return undefined
  const { entryBytes, count, namesIndex, is64 } = program.sectionTable
  if (entryBytes < (is64 ? 64 : 40)) return undefined
  const numbers = new Numbers(table, program.bigEndian)
  const offsetAt = (index: number) => numbers.word(index * entryBytes + (is64 ? 24 : 16), is64)
  const names = offsetAt(namesIndex)
  for (let index = 0; index < count; index++) {
    if (!nameOffsets.includes(names + numbers.u32(index * entryBytes))) continue
    const offset = offsetAt(index)
    const sizeBytes = numbers.word(index * entryBytes + (is64 ? 32 : 20), is64)
    return Number.isNaN(offset + sizeBytes) ? undefined : { name, offset, sizeBytes }
  }
  return undefined
}
