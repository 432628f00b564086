import type { FileHead, Probe, Probed } from '../../probe.ts'
import { baseOf } from '../../tar/paths.ts'

/** The end of a program with a snapshot behind it: where that begins, and eight bytes that mark it. */
const mark = Buffer.from([0xdc, 0xdc, 0xf6, 0xf6, 0, 0, 0, 0])
const snapshotName = /^(?:libapp\.so|.+\.aot)$/

/**
 * Tells programs that Dart compiled ahead of time, of which no list of packages is left: by their last bytes (`dart compile exe`),
 * or by the name of a snapshot of machine code (`dart compile aot-snapshot`, Flutter's `libapp.so`).
 * dart-lang/sdk, runtime/bin/snapshot_utils.cc, `TryReadAppendedAppSnapshotElf`.
 */
export class SnapshotProbe implements Probe {
  readonly #markAt: number
  readonly #isNamed: boolean
  readonly #end = Buffer.alloc(mark.length)

  static for({ path, sizeBytes, program }: FileHead): Probe | undefined {
    return program === undefined ? undefined : new SnapshotProbe(sizeBytes - mark.length, snapshotName.test(baseOf(path)))
  }

  constructor(markAt: number, isNamed: boolean) {
    this.#markAt = markAt
    this.#isNamed = isNamed
  }

  push(bytes: Buffer, offset: number): void {
    if (offset + bytes.length <= this.#markAt) return
    const from = Math.max(0, this.#markAt - offset)
    bytes.copy(this.#end, Math.max(0, offset - this.#markAt), from)
  }

  finish(): Probed {
    if (!this.#isNamed && !this.#end.equals(mark)) return { facts: [] }
    return { facts: [{ unsupported: { kind: 'Dart program compiled ahead of time, without a list of its packages', component: true } }] }
  }
}
