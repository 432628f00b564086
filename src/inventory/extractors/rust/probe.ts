import { endOfCode } from '../../executable/executable.ts'
import type { Executable, Section } from '../../executable/executable.ts'
import { RangeProbe } from '../../executable/ranges.ts'
import { Search } from '../../executable/search.ts'
import { sectionNamed } from '../../executable/sections.ts'
import type { Fact } from '../../extractor.ts'
import type { Probe, Probed } from '../../probe.ts'
import { cratesOf, maxAuditBytes, sectionName } from './audit.ts'

/** Real programs have fewer than a hundred sections. */
const maxTableBytes = 1024 * 1024
const compiler = 'rustc version '
/** `1.95.0 (59807616e 2026-04-14)`: what rustc leaves in `.comment` and in debug information. */
const release = /^(\d+\.\d+\.\d+(?:-[a-z.0-9]+)?) \([0-9a-f]{9} \d{4}-\d\d-\d\d\)/
const releaseBytes = 64
/** A compiler holds the text in other places too. */
const mostReleases = 16

/** Finds the list of crates in a Rust program as its bytes go by, and which compiler's standard library it holds. */
export class RustProbe implements Probe {
  readonly #program: Executable
  /** Where the section's name stands, as the table of sections refers to it. */
  readonly #name: Search
  readonly #names: number[] = []
  readonly #compiler: Search
  #releases: { at: number; text: string }[] = []
  readonly #table: RangeProbe
  #tableBytes: Buffer = Buffer.alloc(0)

  constructor(program: Executable) {
    this.#program = program
    this.#name = new Search(Buffer.from(`${sectionName}\0`), endOfCode(program))
    this.#compiler = new Search(Buffer.from(compiler), endOfCode(program))
    const { offset = 0, entryBytes = 0, count = 0 } = program.sectionTable ?? {}
    const sizeBytes = entryBytes * count
    this.#table = new RangeProbe(offset > 0 && sizeBytes <= maxTableBytes ? [{ offset, sizeBytes }] : [], ([bytes = Buffer.alloc(0)]) => {
      this.#tableBytes = bytes
      return { facts: [] }
    })
  }

  push(bytes: Buffer, offset: number): void {
    this.#table.push(bytes, offset)
    for (const at of this.#name.push(bytes, offset)) if (this.#names.length < 16) this.#names.push(at)
    for (const at of this.#compiler.push(bytes, offset)) {
      if (this.#releases.length < mostReleases) this.#releases.push({ at: at + compiler.length, text: '' })
    }
    for (const found of this.#releases) {
      const from = found.at + found.text.length - offset
      if (found.text.length < releaseBytes && from >= 0 && from < bytes.length)
        found.text += bytes.toString('latin1', from, from + releaseBytes - found.text.length)
    }
  }

  finish(): Probed {
    this.#table.finish()
    const facts = this.#standardLibrary()
    const section = this.#section()
    if (section === undefined) return { facts: facts.length > 0 ? [...facts, unlisted] : [] }
    return { facts, again: new RangeProbe([section], ([bytes = Buffer.alloc(0)]) => ({ facts: cratesOf(bytes) })) }
  }

  #section(): Section | undefined {
    const section =
      this.#program.sections.find(({ name }) => name === sectionName) ??
      sectionNamed(this.#program, this.#tableBytes, sectionName, this.#names)
    return section !== undefined && section.sizeBytes > 0 && section.sizeBytes <= maxAuditBytes ? section : undefined
  }

  #standardLibrary(): Fact[] {
    const versions = new Set(this.#releases.flatMap(({ text }) => release.exec(text)?.[1] ?? []))
    return [...versions].map((version): Fact => ({ package: { kind: 'cargo', name: 'std', version } }))
  }
}

const unlisted: Fact = { unsupported: { kind: 'Rust program without a list of its crates', component: true } }
