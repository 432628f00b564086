import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

type Collect = (options: { type: 'minor'; execution: 'sync' }) => void

/** So much lies outside of V8's heap, mostly dead, when it is freed. */
const everyBytes = 16 << 20
let collect: Collect | undefined
let bytes = 0

/**
 * Network chunks are small objects to V8 with 64 KiB behind each: it lets some dozen MiB of them gather, and then walks its whole
 * heap, which was a third of what a push costs. They die young: a collection of the young alone frees them in less than a
 * millisecond.
 * In: how many bytes came in fresh buffers that are done with soon.
 */
export function countYoungBuffers(more: number): void {
  bytes += more
  if (bytes < everyBytes) return
  bytes = 0
  collect ??= exposed()
  collect({ type: 'minor', execution: 'sync' })
}

/** The flag can be set while V8 runs for contexts that are made after it (Node's documentation of `v8.setFlagsFromString`). */
function exposed(): Collect {
  setFlagsFromString('--expose-gc')
  const found = runInNewContext('gc') as Collect
  setFlagsFromString('--no-expose-gc')
  return found
}
