import type { Fact } from '../../extractor.ts'
import type { Probe, Probed } from '../../probe.ts'
import { isIdentity } from '../../text/identity.ts'
import { longestText } from './catalogue.ts'

/** A program that a file may be. */
export interface Candidate {
  name: string
  texts: RegExp[]
}

interface Match {
  /** Which of the candidate's texts it was: an earlier one outweighs. */
  rank: number
  name: string
  version: string
}

/** Looks for what a program says of itself as its bytes go by, piece by piece, with a seam so that no text is cut. */
export class ProgramProbe implements Probe {
  readonly #candidates: readonly Candidate[]
  readonly #matches = new Map<Candidate, Match>()
  #seam = ''

  constructor(candidates: readonly Candidate[]) {
    this.#candidates = candidates
  }

  push(bytes: Buffer): void {
    const text = this.#seam + bytes.toString('latin1')
    for (const candidate of this.#candidates) this.#look(candidate, text)
    this.#seam = text.slice(-longestText)
  }

  finish(): Probed {
    return { facts: [...this.#matches.values()].flatMap(factOf) }
  }

  #look(candidate: Candidate, text: string): void {
    const before = this.#matches.get(candidate)
    for (const [rank, pattern] of candidate.texts.entries()) {
      if (before !== undefined && before.rank <= rank) return
      const found = pattern.exec(text)?.groups
      if (found?.['version'] === undefined) continue
      this.#matches.set(candidate, { rank, name: found['name']?.toLowerCase() ?? candidate.name, version: found['version'] })
      return
    }
  }
}

function factOf({ name, version }: Match): Fact[] {
  return isIdentity(version) ? [{ package: { kind: 'program', name, version } }] : []
}
