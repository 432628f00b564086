import type { Extractor, WantedFile } from '../extractor.ts'
import type { Gathered } from './gather.ts'

/** Files of one layer that an extractor reads together: the first is the one that its facts are of. */
export interface Group {
  taker: Extractor
  first: Gathered
  beside: WantedFile[]
}

/** Files that wait for others of their group. A path that is written again takes the place of the one before. */
export class Groups {
  readonly #byName = new Map<string, { taker: Extractor; leader: string; files: Map<string, Gathered> }>()

  hold(taker: Extractor, leader: string, gathered: Gathered): void {
    const name = `${taker.name}\n${leader}`
    const group = this.#byName.get(name) ?? { taker, leader, files: new Map<string, Gathered>() }
    this.#byName.set(name, group)
    const { file } = gathered
    group.files.get(file.path)?.release()
    // Bytes are valid only for now; what was laid down has none in memory.
    group.files.set(file.path, { ...gathered, file: { ...file, bytes: Buffer.from(file.bytes) } })
  }

  /** In: whether an entry still stands at the layer's end. Out: what is read. */
  *take(isLive: (index: number) => boolean): Generator<Group> {
    for (const { taker, leader, files } of this.#byName.values()) {
      const live = [...files.values()].filter(({ index }) => isLive(index))
      const first = live.find(({ file }) => file.path === leader)
      if (first === undefined) for (const gathered of live) yield { taker, first: gathered, beside: [] }
      else yield { taker, first, beside: live.filter((other) => other !== first).map(({ file }) => file) }
    }
  }

  release(): void {
    for (const { files } of this.#byName.values()) for (const gathered of files.values()) gathered.release()
    this.#byName.clear()
  }
}
