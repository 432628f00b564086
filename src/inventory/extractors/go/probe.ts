import { dataRange, offsetOf } from '../../executable/executable.ts'
import type { Executable } from '../../executable/executable.ts'
import { RangeProbe } from '../../executable/ranges.ts'
import { Search } from '../../executable/search.ts'
import type { Fact } from '../../extractor.ts'
import type { Probe, Probed } from '../../probe.ts'
import { buildInfoMagic, infoOf, isVersion, maxModuleBytes, parseBuildInfo, pointerAt } from './buildinfo.ts'
import type { Parsed, Pointers } from './buildinfo.ts'
import { factsOf } from './modules.ts'

/** A program in which the magic was found, and nothing behind it that can be read. */
const unreadable: Fact = { unsupported: { kind: 'Go program with unreadable build info', component: true } }
const nothing: Probed = { facts: [] }

/** How many places with the magic are looked at: every program that reads build info holds it as a constant. */
const mostCandidates = 16

/**
 * Finds the build info of a Go program as its bytes go by. It counts only in the data of the program, so that one that
 * carries another program inside is not taken for it.
 */
export class GoProbe implements Probe {
  readonly #program: Executable
  readonly #search: Search
  #candidates = 0
  /** The bytes from a candidate on, as long as they may be build info. */
  #collected: Buffer[] | undefined
  #collectedBytes = 0
  #needBytes = 0
  #parsed: Parsed
  #failed = false

  constructor(program: Executable) {
    this.#program = program
    const { from, to } = dataRange(program)
    this.#search = new Search(buildInfoMagic, from, to)
  }

  push(bytes: Buffer, offset: number): void {
    if (this.#parsed !== undefined) return
    if (this.#collected !== undefined) this.#collect(bytes)
    for (const at of this.#search.push(bytes, offset)) {
      if (this.#parsed !== undefined || this.#collected !== undefined || this.#candidates >= mostCandidates) continue
      if (this.#isPlace(at)) this.#start(at, bytes, offset)
    }
  }

  finish(): Probed {
    const parsed = this.#parsed
    if (parsed === undefined || 'needBytes' in parsed)
      return this.#failed || this.#collected !== undefined ? { facts: [unreadable] } : nothing
    return 'info' in parsed ? { facts: factsOf(parsed.info) } : { facts: [], again: pointed(this.#program, parsed.pointers) }
  }

  #isPlace(at: number): boolean {
    const writable = this.#program.segments.filter((segment) => segment.writable)
    if (writable.length === 0) return at % 16 === 0
    return writable.some(({ address, offset, sizeBytes }) => at >= offset && at < offset + sizeBytes && (address + at - offset) % 16 === 0)
  }

  #start(at: number, bytes: Buffer, offset: number): void {
    this.#candidates++
    this.#collected = at < offset ? [buildInfoMagic.subarray(0, offset - at)] : []
    this.#collectedBytes = at < offset ? offset - at : 0
    this.#needBytes = 0
    this.#collect(at < offset ? bytes : bytes.subarray(at - offset))
  }

  /** Copies no more than a list of modules may have. */
  #collect(bytes: Buffer): void {
    if (this.#collected === undefined) return
    const copy = Buffer.from(bytes.subarray(0, maxModuleBytes + 4096 - this.#collectedBytes))
    this.#collected.push(copy)
    this.#collectedBytes += copy.length
    if (this.#collectedBytes < this.#needBytes) return
    const whole = Buffer.concat(this.#collected)
    const parsed = parseBuildInfo(whole)
    if (parsed !== undefined && 'needBytes' in parsed) {
      this.#needBytes = parsed.needBytes
      this.#collected = [whole]
      return
    }
    this.#collected = undefined
    this.#failed ||= parsed === undefined
    this.#parsed = parsed
  }
}

/** Two more looks: at the strings' pointers and lengths, then at the strings. Go's `.rodata` stands before its `.data`. */
function pointed(program: Executable, { pointerBytes, bigEndian, version, modules }: Pointers): Probe {
  const sizeBytes = 2 * pointerBytes
  const headers = [version, modules].map((address) => ({ offset: offsetOf(program, address) ?? 0, sizeBytes }))
  return new RangeProbe(headers, (parts) => {
    const ranges = parts.map((part) => ({
      offset: offsetOf(program, pointerAt(part, 0, pointerBytes, bigEndian)) ?? 0,
      sizeBytes: pointerAt(part, pointerBytes, pointerBytes, bigEndian) || 0,
    }))
    if (ranges.some((range) => range.sizeBytes > maxModuleBytes)) return { facts: [unreadable] }
    return {
      facts: [],
      again: new RangeProbe(ranges, ([first = Buffer.alloc(0), second = Buffer.alloc(0)]) =>
        isVersion(first.toString('latin1')) ? { facts: factsOf(infoOf(first, second)) } : { facts: [unreadable] },
      ),
    }
  })
}
