import { messageOf } from '../../kit/errors.ts'
import type { Extractor, Fact } from '../extractor.ts'
import { headBytes, headOf, maxReadings } from '../probe.ts'
import type { Probe } from '../probe.ts'

/** What the probes of one file said. */
export interface ProbedFile {
  facts: Fact[]
  /** Those that must see the file in another reading of the layer. */
  again: NamedProbe[]
}

export interface NamedProbe {
  name: string
  probe: Probe
}

/** A file up to this size is kept while it goes by, so that a second look at it costs no second reading of the layer. */
const keptBytes = 16 * 1024 * 1024

/** Shows one file after another to the extractors that know a kind by its bytes. */
export class Probing {
  readonly #probers: Extractor[]
  #path = ''
  #sizeBytes = 0
  #offset = 0
  /** Undefined once the head was shown. */
  #head: Buffer[] | undefined
  #open: NamedProbe[] = []
  #failed: Fact[] = []
  /** One for all files: allocated with the first that is kept. */
  #kept: Buffer | undefined

  constructor(extractors: readonly Extractor[]) {
    this.#probers = extractors.filter(({ probe }) => probe !== undefined)
  }

  start(path: string, sizeBytes: number): void {
    this.#path = path
    this.#sizeBytes = sizeBytes
    this.#offset = 0
    this.#head = this.#probers.length > 0 && sizeBytes > 0 ? [] : undefined
    this.#open = []
    this.#failed = []
  }

  push(bytes: Buffer): void {
    if (this.#head !== undefined) return this.#pushHead(this.#head, bytes)
    if (this.#open.length > 0) this.#show(bytes)
  }

  /** Out: undefined where no extractor knew the file. */
  end(): ProbedFile | undefined {
    if (this.#open.length === 0 && this.#failed.length === 0) return undefined
    const file: ProbedFile = { facts: this.#failed, again: [] }
    for (const named of this.#open) this.#finish(named, file)
    this.#open = []
    return file
  }

  /** The head is shown whole: most files come in one piece, and none is copied for it then. */
  #pushHead(head: Buffer[], bytes: Buffer): void {
    const wanted = Math.min(this.#sizeBytes, headBytes)
    const seen = head.reduce((sum, { length }) => sum + length, 0) + bytes.length
    if (seen < wanted) {
      head.push(Buffer.from(bytes))
      return
    }
    const whole = head.length === 0 ? bytes : Buffer.concat([...head, bytes])
    this.#head = undefined
    this.#choose(whole.subarray(0, headBytes))
    if (this.#open.length > 0) this.#show(whole)
  }

  #choose(bytes: Buffer): void {
    const head = headOf(this.#path, this.#sizeBytes, bytes)
    for (const prober of this.#probers) {
      const probe = attempt(prober.name, this.#failed, () => prober.probe?.(head))
      if (probe !== undefined) this.#open.push({ name: prober.name, probe })
    }
  }

  #show(bytes: Buffer): void {
    if (this.#sizeBytes <= keptBytes) {
      this.#kept ??= Buffer.allocUnsafeSlow(keptBytes)
      bytes.copy(this.#kept, this.#offset)
    }
    showTo(this.#open, bytes, this.#offset, this.#failed)
    this.#offset += bytes.length
  }

  #finish({ name, probe }: NamedProbe, file: ProbedFile): void {
    let next: Probe | undefined = probe
    for (let readings = 1; next !== undefined; readings++) {
      const again = finishInto(name, next, file.facts)
      if (again === undefined) return
      if (readings === maxReadings)
        return void file.facts.push({ problem: `${name}: it was read ${readings} times, and that was not enough` })
      if (this.#sizeBytes > keptBytes || this.#kept === undefined) return void file.again.push({ name, probe: again })
      const whole = this.#kept.subarray(0, this.#sizeBytes)
      next = attempt(name, file.facts, () => (again.push(whole, 0), again))
    }
  }
}

/** In: probes, and bytes for them. A probe that throws is closed, and its error kept as a problem. */
export function showTo(open: NamedProbe[], bytes: Buffer, offset: number, failed: Fact[]): void {
  for (const named of open.slice()) {
    const shown = attempt(named.name, failed, () => (named.probe.push(bytes, offset), true))
    if (shown === undefined) open.splice(open.indexOf(named), 1)
  }
}

/** In: a probe at the end of its file, and where its facts go. Out: who must see the file again. */
export function finishInto(name: string, probe: Probe, facts: Fact[]): Probe | undefined {
  const probed = attempt(name, facts, () => probe.finish())
  if (probed === undefined) return undefined
  facts.push(...probed.facts)
  return probed.again
}

function attempt<T>(name: string, failed: Fact[], act: () => T): T | undefined {
  try {
    return act()
  } catch (error) {
    failed.push({ problem: `${name}: ${messageOf(error)}` })
    return undefined
  }
}
