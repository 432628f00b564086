import type { Package } from '../../../model/package.ts'

/** A language package at its place, and the ones that it needs there. */
export interface Node {
  /** `placedKey`. */
  key: string
  pack: Package
  location: string
  needs: Node[]
  /** Whether another package needs it. */
  needed: boolean
}

/** Who is asked for by the application itself: for running, and for building and testing only. */
export interface Roots {
  direct: Set<Node>
  directDev: Set<Node>
}

/** Looking for a name costs steps; hostile trees get no answer rather than all the time. */
export class Steps {
  #left: number

  constructor(most: number) {
    this.#left = most
  }

  /** Out: whether there is a step left, which is taken. */
  take(): boolean {
    return this.#left-- > 0
  }
}

export function link(from: Node, to: Node | undefined): void {
  if (to === undefined || to === from) return
  from.needs.push(to)
  to.needed = true
}
