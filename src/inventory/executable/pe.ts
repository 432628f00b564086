import type { Executable } from './executable.ts'
import { Numbers, textAt } from './numbers.ts'

const executableFlag = 0x20000000
const writableFlag = 0x80000000
const mostSections = 96

/** In: a head that starts with `MZ`. Out: its sections, each a segment too; undefined where it is no PE. PE Format, "COFF File Header". */
export function peOf(head: Buffer): Executable | undefined {
  const numbers = new Numbers(head, false)
  const at = numbers.u32(60)
  if (numbers.u32(at) !== 0x4550) return undefined
  const optional = at + 24
  const is64 = numbers.u16(optional) === 0x20b
  const base = is64 ? numbers.u64(optional + 24) : numbers.u32(optional + 28)
  const table = optional + numbers.u16(at + 20)
  const found: Executable = { format: 'pe', bigEndian: false, segments: [], sections: [] }
  for (let index = 0; index < Math.min(numbers.u16(at + 6), mostSections); index++) {
    const from = table + index * 40
    const offset = numbers.u32(from + 20)
    const sizeBytes = numbers.u32(from + 16)
    const address = base + numbers.u32(from + 12)
    if (Number.isNaN(offset + sizeBytes + address)) break
    const flags = numbers.u32(from + 36)
    found.segments.push({
      address,
      offset,
      sizeBytes,
      writable: flags >= writableFlag,
      executable: (flags & executableFlag) !== 0,
    })
    found.sections.push({ name: textAt(head, from, from + 8), offset, sizeBytes })
  }
  return found
}
